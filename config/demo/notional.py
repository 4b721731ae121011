"""The invented people through whose eyes previews look, one per persona."""

#: The value of NOTIONAL_PEOPLE: persona:username:department.
NOTIONAL_PEOPLE = (
    "doctor:adams:cardiology,"
    "department_head:helen:cardiology,"
    "billing:bill:,"
    "lab:lena:,"
    "data_scientist:ada:"
)
