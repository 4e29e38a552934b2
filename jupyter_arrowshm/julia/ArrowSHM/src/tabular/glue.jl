# Tables.jl: an extension of this package since Julia 1.9, where a manifest names it (`Pkg.add`, `Pkg.develop`). Before, and
# where the package is found through LOAD_PATH alone, what the extension would do is done here.

const TABLES = PkgId(Base.UUID("bd369af6-aec1-5ad0-b16a-f7cc5008161c"), "Tables")
const OWN = PkgId(@__MODULE__)

"""
Called for every package that is loaded, this one too, when its extensions are. Through `invokelatest`: what it does for
Tables.jl is compiled for that alone.
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
    # By `eval`: since Julia 1.12 a name that was just defined is not there yet for the function that is running.
    Core.eval(glue, :(connect()))
end
