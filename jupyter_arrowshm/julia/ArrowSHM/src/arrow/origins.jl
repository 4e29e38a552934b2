# What plain memory was read as. A `Vector` has no place to say that its column is `not null`, or what was noted with it.

const ORIGINS = Dict{UInt,Tuple{WeakRef,Origin}}()

"Remember the field of a column whose type does not say it all, for as long as the column is there; gives the column."
@noinline function with_origin(@nospecialize(column), field::Field)
    field.nullable && isempty(field.metadata) && return column
    origin_of(column) === nothing || return column
    column isa Buffer && (column = Chunked([column]))
    array = column isa Chunked ? column.chunks : column
    guarded() do
        filter!(entry -> entry.second[1].value !== nothing, ORIGINS)
        # Of its own dictionaries: a table's keep its memory, and this is kept until the next column.
        ORIGINS[objectid(array)] = (WeakRef(array), Origin(field, IdDict{Any,Any}()))
    end
    return column
end

function Columns.origin_of(values::Union{Vector,BitVector})
    known = guarded(() -> get(ORIGINS, objectid(values), nothing))
    return known !== nothing && known[1].value === values ? known[2] : nothing
end
