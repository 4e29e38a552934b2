# The origins of plain memory. A `Vector` has no place to say that its column is `not null`, or to keep the column's metadata.

const ORIGINS = Dict{UInt,Tuple{WeakRef,Origin}}()

"Remember a column's field, where its type does not tell everything, as long as the column exists. Returns the column."
@noinline function with_origin(@nospecialize(column), field::Field)
    field.nullable && isempty(field.metadata) && return column
    origin_of(column) === nothing || return column
    column isa Buffer && (column = Chunked([column]))
    array = column isa Chunked ? column.chunks : column
    guarded() do
        filter!(entry -> entry.second[1].value !== nothing, ORIGINS)
        # It has dictionaries of its own: a table's would keep its memory, and this is kept until the next column.
        ORIGINS[objectid(array)] = (WeakRef(array), Origin(field, IdDict{Any,Any}()))
    end
    return column
end

function Columns.origin_of(values::Union{Vector,BitVector})
    known = guarded(() -> get(ORIGINS, objectid(values), nothing))
    return known !== nothing && known[1].value === values ? known[2] : nothing
end
