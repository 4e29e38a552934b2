# Columns with their values in other columns: lists, maps, structs, unions, runs.

"Lists: a value is a view of the column of all elements. `sizes` is `nothing` where each list ends as the next begins."
struct Lists{T,N,O,L,V,C} <: Column{T}
    offsets::Buffer{O}
    sizes::L
    values::C
    validity::V
    length::Int
    origin::Origin
end
view_type(::Type{C}) where {C} = SubArray{eltype(C),1,C,Tuple{UnitRange{Int}},true}
Lists(offsets::Buffer{O}, sizes::L, values::C, validity::V, length, origin) where {O,L,C,V} =
    Lists{with_missing(view_type(C), validity),view_type(C),O,L,V,C}(offsets, sizes, values, validity, length, origin)
Base.size(c::Lists) = (c.length,)
@inline function Base.getindex(c::Lists, i::Int)
    @boundscheck checkbounds(c, i)
    is_there(c.validity, i) || return missing
    from, to = extent(c, i)
    return @inbounds view(c.values, from+1:to)
end
@inline extent(c::Lists{T,N,O,Nothing}, i::Int) where {T,N,O} = extent(c.offsets, i, length(c.values))
@inline function extent(c::Lists, i::Int)
    from, count, limit = Int(@inbounds c.offsets[i]), Int(@inbounds c.sizes[i]), length(c.values)
    0 <= from <= limit && 0 <= count <= limit - from || out_of_range()
    return from, from + count
end

"Lists that all have `width` elements."
struct FixedLists{T,N,V,C} <: Column{T}
    values::C
    width::Int
    validity::V
    length::Int
    origin::Origin
end
FixedLists(values::C, width, validity::V, length, origin) where {C,V} =
    FixedLists{with_missing(view_type(C), validity),view_type(C),V,C}(values, width, validity, length, origin)
Base.size(c::FixedLists) = (c.length,)
@inline function Base.getindex(c::FixedLists, i::Int)
    @boundscheck checkbounds(c, i)
    return is_there(c.validity, i) ? view(c.values, c.width*(i-1)+1:c.width*i) : missing
end

"""
Tensors of one shape: a value is an array over the column of all elements. Its first axis is the contiguous one, so the
axes are those of NumPy in reverse order.
"""
struct Tensors{T,N,V,C,K} <: Column{T}
    values::C
    width::Int
    shape::NTuple{K,Int}  # as the elements lie, before `N` permutes the axes
    validity::V
    length::Int
    origin::Origin
end
function Tensors(values::C, width, shape::NTuple{K,Int}, order, validity::V, length, origin) where {C,K,V}
    # From an array without elements, as Julia's own types are not ours to spell.
    empty = reshape(view(values, 1:0), ntuple(_ -> 0, K))
    N = order === nothing ? typeof(empty) : typeof(PermutedDimsArray(empty, order))
    return Tensors{with_missing(N, validity),N,V,C,K}(values, width, shape, validity, length, origin)
end
Base.size(c::Tensors) = (c.length,)
@inline function Base.getindex(c::Tensors{T,N}, i::Int) where {T,N}
    @boundscheck checkbounds(c, i)
    is_there(c.validity, i) || return missing
    return permuted(N, reshape(view(c.values, c.width*(i-1)+1:c.width*i), c.shape))
end
@inline permuted(::Type, array) = array
@inline permuted(::Type{N}, array) where {N<:PermutedDimsArray} = N(array)

"Structs: a value is a `NamedTuple`, or a `Pair` for a map's entries, which have a key and a value."
struct Structs{T,N,V,C<:Tuple} <: Column{T}
    parts::C
    validity::V
    length::Int
    origin::Origin
end
Structs{N}(parts::C, validity::V, length, origin) where {N,C,V} =
    Structs{with_missing(N, validity),N,V,C}(parts, validity, length, origin)
Base.size(c::Structs) = (c.length,)
@inline function Base.getindex(c::Structs{T,N}, i::Int) where {T,N}
    @boundscheck checkbounds(c, i)
    return is_there(c.validity, i) ? build(N, map(part -> @inbounds(part[i]), c.parts)) : missing
end
@inline build(::Type{N}, values::Tuple) where {N<:NamedTuple} = N(values)
@inline build(::Type{N}, values::Tuple) where {N<:Pair} = N(values[1], values[2])

"""
Values of several types: `tags` say which of the `parts` has the value; `places` say where in it, or are `nothing` where
every part has a row for each value. If the type of a value does not tell which part it belongs to, the name does: the
values are `:name => value`.
"""
struct Unions{T,N,K,L,V,C} <: Column{T}
    tags::Buffer{Int8}
    places::L
    parts::C             # a tuple; a vector where they are many
    numbers::Vector{Int}  # of the part of each tag from 0 to 127, or 0
    names::K             # of the parts, or `nothing`
    validity::V          # before Arrow 1.0 unions had one of their own
    origin::Origin
end
Unions{N}(tags, places::L, parts::C, numbers, names::K, validity::V, origin) where {N,L,C,K,V} =
    Unions{with_missing(N, validity),N,K,L,V,C}(tags, places, parts, numbers, names, validity, origin)
Base.size(c::Unions) = size(c.tags)
@inline function Base.getindex(c::Unions{T,N}, i::Int) where {T,N}
    @boundscheck checkbounds(c, i)
    is_there(c.validity, i) || return missing
    k, place = part_of(c, i)
    return named(N, c.names, k, pick(c.parts, k, place))
end

"The number of the part that value `i` belongs to, and its row there."
@inline function part_of(c::Unions, i::Int)
    tag = Int(@inbounds c.tags[i])
    k = tag < 0 ? 0 : @inbounds c.numbers[tag+1]
    k > 0 || out_of_range()
    return k, place_of(c.places, i)
end
@inline place_of(::Nothing, i::Int) = i
@inline place_of(places::Buffer, i::Int) = Int(@inbounds places[i]) + 1

@inline pick(parts::Vector, k::Int, place::Int) = pick(parts[k], place)
@inline pick(parts::Tuple, k::Int, place::Int) = k == 1 ? pick(parts[1], place) : pick(Base.tail(parts), k - 1, place)
@inline pick(::Tuple{}, ::Int, ::Int) = out_of_range()
@inline pick(part, place::Int) = 1 <= place <= length(part) ? @inbounds(part[place]) : out_of_range()
@inline named(::Type, ::Nothing, ::Int, value) = value
@inline named(::Type{N}, names, k::Int, value) where {N} = N(names[k], value)

"Runs of equal values: value `k` fills the rows up to `ends[k]`; the `ends` rise."
struct Runs{T,I,C} <: Column{T}
    ends::Buffer{I}
    values::C
    length::Int
    origin::Origin
end
Runs(ends::Buffer{I}, values::C, length, origin) where {I,C} = Runs{eltype(C),I,C}(ends, values, length, origin)
Base.size(c::Runs) = (c.length,)
@inline function Base.getindex(c::Runs, i::Int)
    @boundscheck checkbounds(c, i)
    return @inbounds c.values[searchsortedfirst(c.ends, i)]
end

"Whether run ends rise from 1 or more to `length` or more, and each has one of `count` values."
function are_ends(ends::Buffer, count::Int, length::Int)
    before = 0
    for k in 1:Base.length(ends)
        stop = @inbounds ends[k]
        stop > before || return false
        before = stop
    end
    return before >= length && Base.length(ends) <= count
end
