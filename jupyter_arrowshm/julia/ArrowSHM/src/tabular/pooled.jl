# Columns with repeated values: each value once, and its number per row.

"A vector as [`pooled`](@ref) makes it. The numbers count from 0; -1 is missing."
struct PooledVector{T,P<:AbstractVector} <: AbstractVector{T}
    refs::Vector{Int32}
    pool::P
end
Base.size(c::PooledVector) = size(c.refs)
Base.getindex(c::PooledVector{T}, i::Int) where {T} = c.refs[i] < 0 ? missing : c.pool[c.refs[i]+1]

"""
    ArrowSHM.pooled(values)

The values for [`share`](@ref) to write as a dictionary: each different value once. This is worth it where texts repeat: in
Python such a column is a pandas categorical. Vectors of PooledArrays.jl and CategoricalArrays.jl are shared this way
automatically; other vectors keep their type, even if their values repeat.

```jldoctest
julia> carriers = ArrowSHM.pooled(["AA", "UA", "AA", missing]);

julia> isequal(carriers, ["AA", "UA", "AA", missing]), length(carriers.pool)
(true, 2)
```
"""
function pooled(values::AbstractVector)
    numbers, entries = Dict{Base.nonmissingtype(eltype(values)),Int32}(), Base.nonmissingtype(eltype(values))[]
    refs = Vector{Int32}(undef, length(values))
    for (i, x) in enumerate(values)
        refs[i] = x === missing ? -1 : get!(numbers, x) do
            push!(entries, x)
            Int32(length(entries) - 1)
        end
    end
    T = any(<(0), refs) ? Union{Missing,eltype(entries)} : eltype(entries)
    return PooledVector{T,typeof(entries)}(refs, entries)
end

const DATA_API = PkgId(Base.UUID("9a962f9c-6df0-11e9-0e5d-c546b8b5ee8a"), "DataAPI")

"The vector as a [`PooledVector`](@ref) if it is one, or has a pool from another package (DataAPI.jl); else `nothing`."
@noinline function as_pooled(@nospecialize(values))
    values isa PooledVector && return values
    api = loaded(DATA_API)
    return api === nothing ? nothing : Base.invokelatest(from_data_api, api, values)
end

"Its `refpool` may have any first index, an entry that is missing, and entries that are wrapped."
function from_data_api(api::Module, values)
    pool = api.refpool(values)
    pool === nothing && return nothing
    entries, numbers = Any[], Dict{Int,Int32}()
    for i in eachindex(pool)
        x = pool[i]
        x = isdefined(api, :unwrap) ? api.unwrap(x) : x
        x === missing || push!(entries, x)
        numbers[Int(i)] = x === missing ? -1 : length(entries) - 1
    end
    refs = Int32[numbers[Int(ref)] for ref in api.refarray(values)]
    found = map(identity, entries)
    return PooledVector{Union{Missing,eltype(found)},typeof(found)}(refs, found)
end
