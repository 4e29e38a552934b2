# Columns of tensors ("Fixed shape tensor" of Arrow's canonical extension types) as one array.

"""
    array(column)

A column of tensors of one shape as a read-only array. An array that NumPy shared as one is `ArrowSHM.array(t.value)`.

Its axes are those of NumPy in reverse order, since Julia's first axis is the one that is contiguous: rows come last, so
tensor `i` of matrices is `view(a, :, :, i)`. Nothing is copied where the table has one batch. Several batches are
concatenated, which copies them.

Throws `ArgumentError` if the column does not hold tensors, or if one of them is missing.
"""
function array(column::AbstractVector)
    origin = origin_of(column)
    column isa Union{Chunked,FixedLists} && is_tensor(origin.field) ||
        throw(ArgumentError("it is not a whole column of tensors, as `t.value` is one"))
    Missing <: eltype(column) &&
        throw(ArgumentError("some of its tensors are missing: read them one by one, as `column[i]`"))
    text = parameters(origin.field)
    shape, order = numbers_of(text, "shape"), numbers_of(text, "permutation")
    shape === nothing && throw(DamagedColumn("its tensors have no shape"))
    return stacked(column, shape, order)
end

function stacked(column::Chunked, shape, order)
    parts = Any[stacked(chunk, shape, order) for chunk in column.chunks]
    return length(parts) == 1 ? parts[1] : cat(parts...; dims = length(shape) + 1)
end

function stacked(column::FixedLists, shape, order)
    # As BigInt: a product that overflows would let a file claim more values than it has.
    prod(big.(shape)) == column.width || throw(DamagedColumn("the shape of its tensors is not that of its lists"))
    values = view(column.values, 1:column.width*length(column))
    made = reshape(values, reverse(shape)..., length(column))
    order === nothing && return made
    n = length(shape)
    sort(order) == 0:n-1 || throw(DamagedColumn("the permutation of its tensors does not name each axis once"))
    # Axis k of NumPy, from 0, is Julia's axis n - k.
    return PermutedDimsArray(made, (ntuple(j -> n - order[n-j+1], n)..., n + 1))
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
    all(number -> number !== nothing, numbers) || throw(DamagedColumn("a number of its tensors' shape is too large"))
    return Vector{Int}(numbers)
end
