"""A notebook with one parameter of each kind."""

from gallery.parameters.infer import infer_parameters
from tests.gallery.notebooks import code, markdown, notebook

SOURCE = """
days: Annotated[int, Ge(1), Le(90)] = 30  # how far back
dose: float = 1.5
active: bool = True
drug: Literal["metformin", "warfarin"] = "metformin"
rank: Literal[1, 2] = 1
wards: list[Literal["A", "B"]] = ["A"]
since: datetime.date = datetime.date(2026, 1, 1)
at: datetime.datetime = datetime.datetime(2026, 1, 1)
hour: datetime.time = datetime.time(8)
limit: int | None = None
nickname: str | None = "x"
name: str
title = ""
extra: dict[str, float] = {}
codes = []
today: date = date.today()
flag: bool = compute()
"""
NOTEBOOK = notebook(
    markdown("# Title"), code(SOURCE, tags=["parameters"]), code("print(days)")
)
SCHEMA = infer_parameters(NOTEBOOK).schema
