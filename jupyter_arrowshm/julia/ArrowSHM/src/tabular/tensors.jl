# Columns of tensors ("Fixed shape tensor" of Arrow's canonical extension types) as one array.

"""
    array(column)

A column of tensors of one shape as a read-only array. An array that NumPy shared as one is `ArrowSHM.array(t.value)`.

Its axes are those of NumPy in reverse order, since Julia's first axis is the one that is contiguous: rows come last, so
tensor `i` of matrices, `column[i]`, is `view(a, :, :, i)`. Nothing is copied where the table has one batch. Several batches are
concatenated, which copies them.

Throws `ArgumentError` if the column does not hold tensors, or if one of them is missing.
"""
function array(column::AbstractVector)
    origin = origin_of(column)
    column isa Union{Chunked,FixedLists,Tensors} && is_tensor(origin.field) ||
        throw(ArgumentError("it is not a whole column of tensors, as `t.value` is one"))
    Missing <: eltype(column) &&
        throw(ArgumentError("some of its tensors are missing: read them one by one, as `column[i]`"))
    return stacked(column, axes_of(origin.field)...)
end

function stacked(column::Chunked, shape, order)
    parts = Any[stacked(chunk, shape, order) for chunk in column.chunks]
    return length(parts) == 1 ? parts[1] : cat(parts...; dims = length(shape) + 1)
end

function stacked(column::Union{FixedLists,Tensors}, shape, order)
    made = reshape(view(column.values, 1:column.width*length(column)), shape..., length(column))
    return order === nothing ? made : PermutedDimsArray(made, (order..., length(shape) + 1))
end

"The axes of a field's tensors in Julia's order, as their elements lie, and the order to put them in, or `nothing`."
@noinline function axes_of(field::Field)
    text = parameters(field)
    isvalid(text) || damaged("the parameters of its tensors are not text")  # of such bytes, PCRE may read past the end
    shape, order = numbers_of(text, "shape"), numbers_of(text, "permutation")
    shape === nothing && damaged("its tensors have no shape")
    # As BigInt: a product that overflows would let a file claim more values than it has.
    prod(big.(shape)) == field.width || damaged("the shape of its tensors is not that of its lists")
    n = length(shape)
    order === nothing || sort(order) == 0:n-1 || damaged("the permutation of its tensors does not name each axis once")
    axes = Tuple(reverse(shape))
    # Axis k of NumPy, from 0, is Julia's axis n - k.
    return axes, order === nothing || issorted(order) ? nothing : ntuple(j -> n - order[n-j+1], n)
end

"Whether a field has tensors. A damaged file may give that name to values of any type."
is_tensor(field::Field) =
    field.kind === :fixed_list && field.dictionary === nothing && extension(field) == "arrow.fixed_shape_tensor"

"The parameters of a field's extension type, as they are stored."
function parameters(field::Field)
    for (key, value) in field.metadata
        key == "ARROW:extension:metadata" && return value
    end
    return ""
end

"A list of whole numbers in an object of JSON, or `nothing`. In a text (a name of a dimension) each quote has a backslash."
function numbers_of(text::String, key::String)
    found = match(Regex("\"$key\"\\s*:\\s*\\[([0-9,\\s]*)\\]"), text)
    found === nothing && return nothing
    numbers = Union{Int,Nothing}[tryparse(Int, strip(part)) for part in split(found[1], ','; keepempty = false)]
    all(number -> number !== nothing, numbers) || damaged("a number of its tensors' shape is too large")
    return Vector{Int}(numbers)
end

"Arrays of two axes or more, all of one size, as tensors: the way back of [`Tensors`](@ref)."
@noinline function encode_tensors!(out::Encoded, column::String, name::String, @nospecialize(values))
    known = findfirst(!ismissing, values)
    shape = known === nothing ? ntuple(_ -> 0, ndims(Base.nonmissingtype(eltype(values)))) : size(values[known])
    all(value -> value === missing || size(value) == shape, values) || throw(UnsupportedSource(
        out.kind, "its arrays are not all of one size", "Share their values, one after the other: vec.(column).", column,
    ))
    push_validity!(out, values)
    field = sized(Field(name, :fixed_list), prod(shape))
    parameters = "{\"shape\":[$(join(reverse(shape), ","))]}"
    push!(field.metadata, EXTENSION => "arrow.fixed_shape_tensor", "ARROW:extension:metadata" => parameters)
    elements = Columns.flat_tuples(values, eltype(Base.nonmissingtype(eltype(values))), field.width)
    push!(field.children, encode!(out, column, "item", elements, nothing))
    return field
end

const MAX_AXES = 16  # each number of axes is a type of its own, and a damaged file may claim thousands

"A column of lists of `field.width` elements, or of tensors. One axis or none is a plain list, and so are too many."
@noinline function make_fixed(field::Field, values, validity, length::Int, origin::Origin)
    if is_tensor(field)
        shape, order = axes_of(field)
        2 <= Base.length(shape) <= MAX_AXES && return Tensors(values, field.width, shape, order, validity, length, origin)
    end
    return FixedLists(values, field.width, validity, length, origin)
end
