"""What everybody gets at every address, for `test_url_matrix`.

METHOD route thing:  nobody ada ravi carol adams baker otto iris nora

ada is author and data scientist, ravi a peer, carol compliance, adams a doctor who owns
the runs, baker a doctor who does not, otto operator, iris auditor, nora has no role.
"""

ROWS = """
# Health
GET healthz:  200 200 200 200 200 200 200 200 200
GET readyz:  503 503 503 503 503 503 503 503 503
GET status:  302 403 403 403 403 403 200 200 403
GET api:status:  401 403 403 403 403 403 200 200 403
# API: session, audit, notebooks, versions
GET api:schema:  200 200 200 200 200 200 200 200 200
GET api:session:  200 200 200 200 200 200 200 200 200
POST api:session:  401 401 401 401 401 401 401 401 401
DELETE api:session:  204 204 204 204 204 204 204 204 204
GET api:personas:  401 200 200 200 200 200 200 200 200
POST api:personas:  401 403 403 403 200 200 403 403 403
GET api:audit-events:  401 403 403 403 403 403 403 200 403
GET api:audit-export:  401 403 403 403 403 403 403 200 403
GET api:audit-verify:  401 403 403 403 403 403 403 200 403
GET api:notebooks:  401 200 200 200 200 200 200 200 200
POST api:notebooks:  401 201 403 403 403 403 403 403 403
GET api:notebook draft:  401 200 404 404 404 404 404 404 404
GET api:notebook in-review:  401 200 200 200 404 404 404 200 404
GET api:notebook peer-approved:  401 200 200 200 404 404 404 200 404
GET api:notebook approved:  401 200 200 200 200 200 404 200 404
PATCH api:notebook draft:  401 200 404 404 404 404 404 404 404
PATCH api:notebook in-review:  401 200 403 403 404 404 404 403 404
PATCH api:notebook peer-approved:  401 200 403 403 404 404 404 403 404
PATCH api:notebook approved:  401 200 403 403 403 403 404 403 404
GET api:access draft:  401 200 404 404 404 404 404 404 404
GET api:access in-review:  401 200 200 200 404 404 404 200 404
GET api:access peer-approved:  401 200 200 200 404 404 404 200 404
GET api:access approved:  401 200 200 200 200 200 404 200 404
PUT api:access draft:  401 200 404 404 404 404 404 404 404
PUT api:access in-review:  401 200 403 200 404 404 404 403 404
PUT api:access peer-approved:  401 200 403 200 404 404 404 403 404
PUT api:access approved:  401 200 403 200 403 403 404 403 404
POST api:versions draft:  401 201 404 404 404 404 404 404 404
POST api:versions in-review:  401 201 403 403 404 404 404 403 404
POST api:versions peer-approved:  401 201 403 403 404 404 404 403 404
POST api:versions approved:  401 201 403 403 403 403 404 403 404
GET api:version draft:  401 200 404 404 404 404 404 404 404
GET api:version in-review:  401 200 200 200 404 404 404 200 404
GET api:version peer-approved:  401 200 200 200 404 404 404 200 404
GET api:version approved:  401 200 200 200 200 200 404 200 404
GET api:version-ipynb draft:  401 200 404 404 404 404 404 404 404
GET api:version-ipynb in-review:  401 200 200 200 404 404 404 200 404
GET api:version-ipynb peer-approved:  401 200 200 200 404 404 404 200 404
GET api:version-ipynb approved:  401 200 200 200 403 403 404 200 404
GET api:version-diff draft:  401 200 404 404 404 404 404 404 404
GET api:version-diff in-review:  401 200 200 200 404 404 404 200 404
GET api:version-diff peer-approved:  401 200 200 200 404 404 404 200 404
GET api:version-diff approved:  401 200 200 200 403 403 404 200 404
POST api:submit draft:  401 200 404 404 404 404 404 404 404
# API: decisions, comments, runs
POST api:submit in-review:  401 409 403 403 404 404 404 403 404
POST api:submit peer-approved:  401 409 403 403 404 404 404 403 404
POST api:submit approved:  401 409 403 403 403 403 404 403 404
POST api:withdraw draft:  401 409 404 404 404 404 404 404 404
POST api:withdraw in-review:  401 200 403 403 404 404 404 403 404
POST api:withdraw peer-approved:  401 200 403 403 404 404 404 403 404
POST api:withdraw approved:  401 409 403 403 403 403 404 403 404
POST api:reviews draft:  401 403 404 404 404 404 404 404 404
POST api:reviews in-review:  401 403 201 403 404 404 404 403 404
POST api:reviews peer-approved:  401 403 403 403 404 404 404 403 404
POST api:reviews approved:  401 403 403 403 403 403 404 403 404
POST api:sign-offs draft:  401 403 404 404 404 404 404 404 404
POST api:sign-offs in-review:  401 403 403 409 404 404 404 403 404
POST api:sign-offs peer-approved:  401 403 403 201 404 404 404 403 404
POST api:sign-offs approved:  401 403 403 403 403 403 404 403 404
POST api:revoke draft:  401 403 404 404 404 404 404 404 404
POST api:revoke in-review:  401 403 403 409 404 404 404 403 404
POST api:revoke peer-approved:  401 403 403 409 404 404 404 403 404
POST api:revoke approved:  401 403 403 200 403 403 404 403 404
GET api:signatures peer-approved:  401 200 200 200 404 404 404 200 404
GET api:signatures approved:  401 200 200 200 403 403 404 200 404
GET api:comments in-review:  401 200 200 200 404 404 404 200 404
GET api:comments approved:  401 200 200 200 403 403 404 200 404
POST api:comments draft:  401 201 404 404 404 404 404 404 404
POST api:comments in-review:  401 201 201 201 404 404 404 403 404
POST api:comments peer-approved:  401 201 201 201 404 404 404 403 404
POST api:comments approved:  401 201 201 201 403 403 404 403 404
POST api:resolve-comment in-review:  401 200 200 200 404 404 404 403 404
POST api:run-requests draft:  401 409 404 404 404 404 404 404 404
POST api:run-requests in-review:  401 409 403 403 404 404 404 403 404
POST api:run-requests peer-approved:  401 409 403 403 404 404 404 403 404
POST api:run-requests approved:  401 403 403 403 202 202 404 403 404
POST api:preview-requests draft:  401 202 404 404 404 404 404 404 404
POST api:preview-requests in-review:  401 202 202 202 404 404 404 403 404
POST api:preview-requests peer-approved:  401 202 202 202 404 404 404 403 404
POST api:preview-requests approved:  401 409 409 409 403 403 404 403 404
GET api:runs:  401 200 200 200 200 200 200 200 200
GET api:run run:  401 404 404 404 200 404 404 404 404
GET api:run-events run:  401 404 404 404 200 404 404 404 404
GET api:run-ipynb run:  401 404 404 404 200 404 404 404 404
GET api:run-html run:  401 404 404 404 200 404 404 404 404
GET api:tables run:  401 404 404 404 200 404 404 404 404
GET api:table-csv run:  401 404 404 404 404 404 404 404 404
GET api:record live run:  401 404 404 404 200 404 404 200 404
GET api:record run:  401 404 404 404 404 404 404 404 404
GET api:replay live run:  401 404 404 404 200 404 404 403 404
GET api:replay run:  401 404 404 404 404 404 404 404 404
POST api:repeat run:  401 404 404 404 202 404 404 404 404
POST api:cancel run:  401 404 404 404 409 404 404 404 404
POST api:cancel waiting run:  401 404 404 404 200 404 404 404 404
# API: one's own account, people, groups
POST api:password:  401 204 204 204 204 204 204 204 204
POST api:choose-password:  403 403 403 403 403 403 403 403 403
GET api:sessions:  401 200 200 200 200 200 200 200 200
DELETE api:end-session session:  401 404 404 404 404 404 404 404 404
GET api:roles:  401 200 200 200 200 200 200 200 200
GET api:people:  401 403 403 403 403 403 200 403 403
POST api:people:  401 403 403 403 403 403 201 403 403
GET api:person person:  401 403 403 403 403 403 200 403 403
PATCH api:person person:  401 403 403 403 403 403 200 403 403
PUT api:person-roles person:  401 403 403 403 403 403 200 403 403
PUT api:person-personas person:  401 403 403 403 403 403 200 403 403
PUT api:person-groups person:  401 403 403 403 403 403 200 403 403
POST api:deactivate person:  401 403 403 403 403 403 200 403 403
POST api:reactivate person:  401 403 403 403 403 403 409 403 403
POST api:end-sessions person:  401 403 403 403 403 403 200 403 403
POST api:reset-password person:  401 403 403 403 403 403 200 403 403
GET api:groups:  401 403 403 403 403 403 200 403 403
POST api:groups:  401 403 403 403 403 403 201 403 403
DELETE api:group group:  401 403 403 403 403 403 204 403 403
# API: how notebooks are reviewed
GET api:queue:  401 200 200 200 200 200 200 200 200
GET api:policy draft:  401 200 404 404 404 404 404 404 404
GET api:policy in-review:  401 200 200 200 404 404 404 200 404
GET api:policy approved:  401 200 200 200 200 200 404 200 404
PUT api:policy draft:  401 403 404 404 404 404 404 404 404
PUT api:policy in-review:  401 403 403 409 404 404 404 403 404
PUT api:policy peer-approved:  401 403 403 409 404 404 404 403 404
PUT api:policy approved:  401 403 403 200 403 403 404 403 404
# Pages of the gallery
GET gallery:catalog:  302 200 200 200 200 200 200 200 200
GET gallery:upload:  302 200 200 200 200 200 200 200 200
POST gallery:upload:  302 302 403 403 403 403 403 403 403
GET gallery:notebook draft:  302 200 404 404 404 404 404 404 404
GET gallery:notebook in-review:  302 200 200 200 404 404 404 200 404
GET gallery:notebook peer-approved:  302 200 200 200 404 404 404 200 404
GET gallery:notebook approved:  302 200 200 200 200 200 404 200 404
GET gallery:edit draft:  302 200 404 404 404 404 404 404 404
GET gallery:edit approved:  302 200 403 403 403 403 404 403 404
POST gallery:edit draft:  302 302 404 404 404 404 404 404 404
POST gallery:edit approved:  302 302 403 403 403 403 404 403 404
GET gallery:upload-version draft:  302 200 404 404 404 404 404 404 404
GET gallery:upload-version approved:  302 200 200 200 200 200 404 200 404
POST gallery:upload-version draft:  302 302 404 404 404 404 404 404 404
POST gallery:upload-version approved:  302 302 403 403 403 403 404 403 404
GET gallery:version draft:  302 200 404 404 404 404 404 404 404
GET gallery:version in-review:  302 200 200 200 404 404 404 200 404
GET gallery:version approved:  302 200 200 200 403 403 404 200 404
GET gallery:version-ipynb draft:  302 200 404 404 404 404 404 404 404
GET gallery:version-ipynb in-review:  302 200 200 200 404 404 404 200 404
GET gallery:version-ipynb approved:  302 200 200 200 403 403 404 200 404
GET gallery:diff draft:  302 200 404 404 404 404 404 404 404
GET gallery:diff in-review:  302 200 200 200 404 404 404 200 404
GET gallery:diff approved:  302 200 200 200 403 403 404 200 404
# Pages of the review
GET reviews:queue:  302 200 200 200 200 200 200 200 200
GET reviews:policy draft:  302 200 404 404 404 404 404 404 404
GET reviews:policy approved:  302 200 200 200 200 200 404 200 404
POST reviews:policy draft:  302 403 404 404 404 404 404 404 404
POST reviews:policy approved:  302 403 403 400 403 403 404 403 404
GET reviews:access draft:  302 200 404 404 404 404 404 404 404
GET reviews:access approved:  302 200 200 200 200 200 404 200 404
POST reviews:access draft:  302 302 404 404 404 404 404 404 404
POST reviews:access approved:  302 302 403 302 403 403 404 403 404
GET reviews:review in-review:  302 200 200 200 404 404 404 200 404
GET reviews:review draft:  302 200 404 404 404 404 404 404 404
POST reviews:review draft:  302 403 404 404 404 404 404 404 404
POST reviews:review in-review:  302 403 409 403 404 404 404 403 404
POST reviews:review peer-approved:  302 403 403 403 404 404 404 403 404
POST reviews:review approved:  302 403 403 403 403 403 404 403 404
GET reviews:sign-off peer-approved:  302 200 200 200 404 404 404 200 404
GET reviews:sign-off in-review:  302 200 200 200 404 404 404 200 404
POST reviews:sign-off draft:  302 403 404 404 404 404 404 404 404
POST reviews:sign-off in-review:  302 403 403 409 404 404 404 403 404
POST reviews:sign-off peer-approved:  302 403 403 409 404 404 404 403 404
POST reviews:sign-off approved:  302 403 403 403 403 403 404 403 404
POST reviews:submit draft:  302 302 404 404 404 404 404 404 404
POST reviews:submit in-review:  302 409 403 403 404 404 404 403 404
POST reviews:submit approved:  302 409 403 403 403 403 404 403 404
POST reviews:withdraw draft:  302 409 404 404 404 404 404 404 404
POST reviews:withdraw in-review:  302 302 403 403 404 404 404 403 404
POST reviews:withdraw approved:  302 409 403 403 403 403 404 403 404
POST reviews:revoke draft:  302 403 404 404 404 404 404 404 404
POST reviews:revoke in-review:  302 403 403 409 404 404 404 403 404
POST reviews:revoke approved:  302 403 403 302 403 403 404 403 404
POST reviews:comment draft:  302 302 404 404 404 404 404 404 404
POST reviews:comment in-review:  302 302 302 302 404 404 404 403 404
POST reviews:comment approved:  302 302 302 302 403 403 404 403 404
POST reviews:resolve-comment in-review:  302 302 302 302 404 404 404 403 404
# Pages of runs
GET runner:launch draft:  302 403 404 404 404 404 404 404 404
GET runner:launch in-review:  302 403 403 403 404 404 404 403 404
GET runner:launch approved:  302 200 403 403 200 200 404 403 404
GET runner:preview draft:  302 200 404 404 404 404 404 404 404
GET runner:preview in-review:  302 200 200 200 404 404 404 200 404
GET runner:preview approved:  302 200 200 200 403 403 404 200 404
POST runner:launch draft:  302 403 404 404 404 404 404 404 404
POST runner:launch in-review:  302 403 403 403 404 404 404 403 404
POST runner:launch approved:  302 400 403 403 302 302 404 403 404
POST runner:preview draft:  302 302 404 404 404 404 404 404 404
POST runner:preview in-review:  302 302 302 302 404 404 404 403 404
POST runner:preview approved:  302 409 409 409 403 403 404 403 404
GET runner:runs:  302 200 200 200 200 200 200 200 200
GET runner:run run:  302 404 404 404 200 404 404 404 404
GET runner:run-progress run:  302 404 404 404 200 404 404 404 404
GET runner:run-events run:  302 404 404 404 200 404 404 404 404
GET runner:download-ipynb run:  302 404 404 404 200 404 404 404 404
GET runner:download-html run:  302 404 404 404 200 404 404 404 404
GET runner:frame run:  302 404 404 404 200 404 404 404 404
GET runner:tables run:  302 404 404 404 200 404 404 404 404
GET runner:table-csv run:  302 404 404 404 404 404 404 404 404
GET runner:record live run:  302 404 404 404 200 404 404 200 404
GET runner:record run:  302 404 404 404 404 404 404 404 404
GET runner:replay live run:  302 404 404 404 200 404 404 403 404
GET runner:replay run:  302 404 404 404 404 404 404 404 404
POST runner:repeat run:  302 404 404 404 302 404 404 404 404
POST runner:cancel run:  302 404 404 404 409 404 404 404 404
POST runner:cancel waiting run:  302 404 404 404 302 404 404 404 404
# Pages of the audit log and of people
GET audit:events:  302 403 403 403 403 403 403 200 403
GET audit:verify:  302 403 403 403 403 403 403 200 403
GET audit:export:  302 403 403 403 403 403 403 200 403
POST audit:verify:  302 403 403 403 403 403 403 200 403
GET accounts:sign-in:  200 302 302 302 302 302 302 302 302
GET accounts:session-left:  200 200 200 200 200 200 200 200 200
POST accounts:stay-signed-in:  302 200 200 200 200 200 200 200 200
GET accounts:sign-out:  405 405 405 405 405 405 405 405 405
POST accounts:sign-out:  302 302 302 302 302 302 302 302 302
GET accounts:choose-password link:  200 200 200 200 200 200 200 200 200
POST accounts:set-persona:  302 302 302 302 302 302 302 302 302
GET accounts:profile:  302 200 200 200 200 200 200 200 200
GET accounts:change-password:  302 200 200 200 200 200 200 200 200
POST accounts:change-password:  302 200 200 200 200 200 200 200 200
POST accounts:end-session session:  302 404 404 404 404 404 404 404 404
GET accounts:roles:  302 200 200 200 200 200 200 200 200
GET accounts:people:  302 403 403 403 403 403 200 403 403
GET accounts:new-person:  302 403 403 403 403 403 200 403 403
POST accounts:new-person:  302 403 403 403 403 403 200 403 403
GET accounts:person person:  302 403 403 403 403 403 200 403 403
POST accounts:change-person change name:  302 403 403 403 403 403 302 403 403
POST accounts:change-person change roles:  302 403 403 403 403 403 302 403 403
POST accounts:change-person change reset-password:  302 403 403 403 403 403 200 403 403
POST accounts:change-person change nonsense:  302 403 403 403 403 403 404 403 403
GET reviews:membership person:  302 403 403 403 403 403 200 403 403
POST reviews:membership person:  302 403 403 403 403 403 302 403 403
GET accounts:groups:  302 403 403 403 403 403 200 403 403
POST accounts:groups:  302 403 403 403 403 403 200 403 403
POST accounts:delete-group group:  302 403 403 403 403 403 302 403 403
"""
