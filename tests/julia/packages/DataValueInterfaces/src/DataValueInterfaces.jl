"A stand-in for DataValueInterfaces.jl: DataValues.jl, where it is loaded, adds the methods that wrap and unwrap."
module DataValueInterfaces

datavaluetype(::Type{T}) where {T} = T
nondatavaluetype(::Type{T}) where {T} = T

end
