# Tables.jl: an extension of this package since Julia 1.9, where a manifest names it (`Pkg.add`, `Pkg.develop`). On older
# releases, and where the package is found through LOAD_PATH alone, this file does what the extension would do.

const TABLES = PkgId(Base.UUID("bd369af6-aec1-5ad0-b16a-f7cc5008161c"), "Tables")
const OWN = PkgId(@__MODULE__)

"""
Called for every package that is loaded, including this one, when its extensions are. It uses `invokelatest`: what it does
for Tables.jl is compiled only then.
"""
function glue_loaded(package::PkgId)
    (package === TABLES || package === OWN) && loaded(TABLES) !== nothing && Base.invokelatest(glue_tables)
    return
end

function glue_tables()
    has_extension(:ArrowSHMTablesExt) && return
    # While another package is being precompiled, methods made here would end up in its cache and be made twice.
    is_precompiling() && return
    glue = Module(:ArrowSHMTablesGlue)
    Core.eval(glue, :(const ArrowSHM = $(@__MODULE__)))
    Core.eval(glue, :(const Tables = $(loaded(TABLES))))
    Base.include(glue, joinpath(dirname(dirname(@__DIR__)), "ext", "tables.jl"))
    # `eval`, since in Julia 1.12 and later the running function cannot yet see a name that was just defined.
    Core.eval(glue, :(connect()))
end
