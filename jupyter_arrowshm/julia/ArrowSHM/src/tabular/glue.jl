# Tables.jl: an extension of this package since Julia 1.9. Before, and where the package is found through LOAD_PATH alone
# (Julia makes extensions of what a manifest names), what the extension would do is done here.

const TABLES = Base.PkgId(Base.UUID("bd369af6-aec1-5ad0-b16a-f7cc5008161c"), "Tables")

"Called for every package that is loaded. Through `invokelatest`: what it does for Tables.jl is compiled for that alone."
function glue_loaded(package::Base.PkgId)
    package === TABLES && Base.invokelatest(glue_tables)
    return
end

function glue_tables()
    # Extensions come before these callbacks.
    isdefined(Base, :get_extension) && Base.get_extension(@__MODULE__, :ArrowSHMTablesExt) !== nothing && return
    # While another package is being precompiled, methods made here would end up in its cache and be made twice.
    ccall(:jl_generating_output, Cint, ()) == 1 && return
    glue = Module(:ArrowSHMTablesGlue)
    Core.eval(glue, :(const ArrowSHM = $(@__MODULE__)))
    Core.eval(glue, :(const Tables = $(Base.loaded_modules[TABLES])))
    Base.include(glue, joinpath(dirname(dirname(@__DIR__)), "ext", "tables.jl"))
    Base.invokelatest(getfield(glue, :connect))
end
