"A stand-in for Tables.jl, which cannot be had without a package registry: the part of its interface that we use."
module Tables

istable(::Type) = false
istable(x) = istable(typeof(x))
columnaccess(::Type) = false
columns(x) = x
columnnames(x) = propertynames(x)
getcolumn(x, name::Symbol) = getproperty(x, name)
getcolumn(x, i::Int) = getfield(x, i)
schema(x) = nothing

struct Schema{names,types} end
Schema(names, types) = Schema{Tuple(map(Symbol, names)),Tuple{types...}}()

end
