# Vectors in Arrow's form: nodes and buffers in Arrow's order.

"A record batch in Arrow's form: nodes, buffers, and for each column of views the number of its further buffers."
struct Encoded
    kind::String
    rows::Int
    fields::Vector{Field}
    nodes::Vector{Tuple{Int,Int}}
    buffers::Vector{Any}  # arrays of plain values; `nothing` is an empty buffer
    variadic::Vector{Int}
    dictionaries::Vector{Any}  # `(number, pool, Encoded)`: those that others use come first
end
Encoded(kind::String, rows::Int, dictionaries) =
    Encoded(kind, rows, Field[], Tuple{Int,Int}[], Any[], Int[], dictionaries)

nbytes_of(@nospecialize(buffer)) = (buffer === nothing ? 0 : Base.invokelatest(sizeof_values, buffer))::Int
sizeof_values(buffer) = length(buffer) * sizeof(eltype(buffer))
function body_size(encoded::Encoded)
    total = 0
    for buffer in encoded.buffers
        total += padded(nbytes_of(buffer))
    end
    return total
end
file_size(encoded::Encoded) = body_size(encoded) + sum(Int[body_size(entry[3]) for entry in encoded.dictionaries])
padded(nbytes::Int) = (nbytes + 63) & ~63  # the specification's recommendation, for vector instructions

"""
Encode columns of one length; `origins` says what each was read as, or `nothing`. Throws [`UnsupportedSource`](@ref).
"""
@noinline function encode_table(kind::String, columns::Vector{Pair{String,Any}}, rows::Int, origins)
    encoded = Encoded(kind, rows, Any[])
    for (i, (name, column)) in enumerate(columns)
        length(column) == rows || throw(UnsupportedSource(
            kind, "it has $(words_count(length(column), "row")), the first column $rows", "Make them equally long.", name,
        ))
        origin = origins === nothing ? Base.invokelatest(origin_of, column) : origins[i]
        push!(encoded.fields, encode!(encoded, name, name, column, origin))
    end
    return encoded
end

"Append the nodes and buffers of a column; return its field. `column` is the label that an error names."
@noinline function encode!(out::Encoded, column::String, name::String, @nospecialize(values), origin)
    Base.has_offset_axes(values) && (values = collect(values))
    if origin !== nothing
        field = copy_field(origin.field)
        field.name = name
        return encode_again!(out, column, field, values, origin.pools)
    end
    pooled = as_pooled(values)
    if pooled !== nothing
        validity = Columns.validity_of(ref -> ref >= 0, pooled.refs)
        return encode_pooled!(out, column, pooled_field(name), max.(pooled.refs, Int32(0)), pooled.pool, nothing, validity)
    end
    T = eltype(values)
    N = Base.nonmissingtype(T)
    if !is_carried(N)
        # Vectors of Any: their values may still be of one type.
        values = map(identity, values)
        T = eltype(values)
        N = Base.nonmissingtype(T)
    end
    if N === Union{}
        push!(out.nodes, (length(values), length(values)))
        return Field(name, :null)
    end
    N <: AbstractArray && isconcretetype(N) && ndims(N) > 1 && return encode_tensors!(out, column, name, values)
    field, types = field_of(out.kind, column, name, N), arrow_types(out.kind, column, N)
    field.kind === :union && return encode_union!(out, column, field, values, types)
    push_validity!(out, values)
    return encode_values!(out, column, field, values, types[1][1])
end

is_carried(@nospecialize(N)) = N !== Any && (isconcretetype(N) || N <: AbstractString || is_union(N))
is_union(@nospecialize(N)) = N isa Union && !(Nothing <: N) && all(is_carried, union_types(N))

@noinline function push_validity!(out::Encoded, @nospecialize(values), rows::Int = length(values))
    bits, missings = Columns.validity_of(values)
    push!(out.nodes, (rows, missings))
    push!(out.buffers, bits)
    return
end

"Buffers and children of Julia's own values, by the field that was chosen for their type `N`."
@noinline function encode_values!(out::Encoded, column::String, field::Field, @nospecialize(values), @nospecialize(N))
    kind = field.kind
    if kind in (:list, :map)
        offsets, elements = Columns.flat_lists(values, eltype(N))
        push_offsets!(out, field, offsets)
        push!(field.children, encode!(out, column, kind === :list ? "item" : "entries", elements, nothing))
        kind === :map && finish_map!(out, column, field)
    elseif kind === :fixed_list
        elements = Columns.flat_tuples(values, eltype(N), field.width)
        push!(field.children, encode!(out, column, "item", elements, nothing))
    elseif kind === :struct
        names = N <: Pair ? ("key", "value") : fieldnames(N)
        for k in 1:fieldcount(N)
            part = Columns.flat_field(values, k, fieldtype(N, k), Missing <: eltype(values))
            push!(field.children, encode!(out, column, String(names[k]), part, nothing))
        end
    else
        encode_leaf!(out, column, field, values)
    end
    return field
end

"A map's entries, and the keys in them, are always there."
function finish_map!(out::Encoded, column::String, field::Field)
    entries = field.children[1]
    entries.nullable = false
    entries.kind === :null && append!(empty!(entries.children), [Field("key", :null), Field("value", :null)])
    entries.children[1].nullable = false
    entries.children[1].kind === :null && unsupported_key(out, column)
    return
end
unsupported_key(out::Encoded, column::String) = throw(UnsupportedSource(
    out.kind, "Arrow has no maps with a missing key", "Share named tuples (key = ..., value = ...).", column,
))

"The buffers of values that have no children, without their validity."
@noinline function encode_leaf!(out::Encoded, column::String, field::Field, @nospecialize(values))
    kind = field.kind
    if kind === :bool
        push!(out.buffers, Columns.flat_bits(values))
    elseif kind in (:utf8, :binary, :large_utf8, :large_binary)
        total = Columns.total_size(values)
        total > typemax(Int32) && (field.kind = kind in (:utf8, :large_utf8) ? :large_utf8 : :large_binary)
        O = field.kind in (:utf8, :binary) ? Int32 : Int64
        append!(out.buffers, Columns.flat_texts(O, values, total))
    elseif kind in (:utf8_view, :binary_view)
        views, buffers = Columns.flat_views(values)
        push!(out.buffers, views, buffers...)
        push!(out.variadic, length(buffers))
    elseif kind === :fixed_binary && !(1 <= field.width <= MAX_TUPLE)
        push!(out.buffers, Columns.flat_blobs(values, field.width))
    else
        push!(out.buffers, flat_or_explain(fixed_type(field)[1], values, out, column))
    end
    return field
end

function push_offsets!(out::Encoded, field::Field, offsets::Vector{Int})
    offsets[end] > typemax(Int32) && (field.kind = field.kind === :list ? :large_list : field.kind)
    push!(out.buffers, field.kind === :large_list ? offsets : convert(Vector{Int32}, offsets))
end

function flat_or_explain(@nospecialize(S), @nospecialize(values), out::Encoded, column::String)
    try
        return Columns.flat(S, values)
    catch error
        error isa Union{InexactError,OverflowError} || rethrow()
        throw(UnsupportedSource(out.kind, "it holds a value that its Arrow type does not reach", "Share it as text: string.(column).", column))
    end
end

# -- again -------------------------------------------------------------------------------------------------------------

"Encode values that were read from a file, by the field that they were read as."
@noinline function encode_again!(out::Encoded, column::String, field::Field, @nospecialize(values), pools)
    kind = field.kind
    if kind === :null
        push!(out.nodes, (length(values), length(values)))
        return field
    elseif field.dictionary === nothing && !(kind in NESTED)
        # Without an origin: plain memory, or the texts of a dictionary, which were copied out of it.
        push_validity!(out, origin_of(values) === nothing ? values : Columns.rows_of(values), length(values))
        return encode_leaf!(out, column, field, Columns.stored(values))
    end
    rows, children = Columns.rows_of(values), field.children
    again(k, name, part) = encode!(out, column, name, part, Origin(children[k], pools))
    if field.dictionary !== nothing
        indices, pool = Columns.pooled_of(rows)
        return encode_pooled!(out, column, field, indices, pool, Origin(field, pools), Columns.validity_of(rows))
    elseif kind === :union
        push!(out.nodes, (length(values), 0))
        all(((part, rows),) -> Columns.validity_in(part, rows)[2] == 0, rows) || throw(UnsupportedSource(
            out.kind, "a union in it has missing values of its own, as before Arrow 1.0", "Share it as text: string.(column).", column,
        ))
        tags, places, parts = Columns.union_of(rows, length(children), field.unit == 1)
        push!(out.buffers, tags)
        field.unit == 1 && push!(out.buffers, places)
        field.children = Field[again(k, children[k].name, parts[k]) for k in 1:length(parts)]
        return field
    elseif kind === :run_end
        push!(out.nodes, (length(values), 0))
        ends, found = Columns.runs_of(rows)
        ends_field = children[1]
        field.children = Field[encode!(out, column, ends_field.name, convert(Vector{fixed_type(ends_field)[1]}, ends), nothing)]
        ends_field = field.children[1]
        ends_field.nullable = false
        push!(field.children, again(2, children[2].name, found))
        return field
    end
    push_validity!(out, rows, length(values))
    if kind === :struct
        parts = Any[Columns.fields_of(rows, k) for k in 1:length(children)]
        field.children = Field[again(k, children[k].name, parts[k]) for k in 1:length(parts)]
    elseif kind === :fixed_list
        field.children = Field[again(1, children[1].name, Columns.elements_of(rows))]
    else
        offsets, elements = Columns.lists_of(rows)
        if kind in (:list_view, :large_list_view)
            O = kind === :list_view ? Int32 : Int64
            push!(out.buffers, convert(Vector{O}, offsets[1:end-1]), convert(Vector{O}, diff(offsets)))
        else
            push_offsets!(out, field, offsets)
        end
        field.children = Field[again(1, children[1].name, elements)]
    end
    return field
end

const NESTED = (:list, :large_list, :list_view, :large_list_view, :fixed_list, :map, :struct, :union, :run_end)

# -- dictionaries and unions -------------------------------------------------------------------------------------------

"""
Numbers (from 0) of the entries of a `pool`. The pool is written once, even if several columns use it; `origin` says what
it was read as, or is `nothing`.
"""
@noinline function encode_pooled!(out::Encoded, column::String, field::Field, @nospecialize(indices), @nospecialize(pool), origin, validity)
    push!(out.nodes, (length(indices), validity[2]))
    push!(out.buffers, validity[1])
    index = fixed_type(field.index)[1]
    push!(out.buffers, indices isa Buffer ? indices : convert(Vector{index}, indices))
    known = findfirst(entry -> entry[2] === pool, out.dictionaries)
    if known === nothing
        encoded = Encoded(out.kind, length(pool), out.dictionaries)
        plain = origin === nothing ? nothing : Origin(without_dictionary(origin.field), origin.pools)
        push!(encoded.fields, encode!(encoded, column, "", pool, plain))
        push!(out.dictionaries, (length(out.dictionaries), pool, encoded))
        known = length(out.dictionaries)
    end
    number, _, encoded = out.dictionaries[known]
    values = encoded.fields[1]
    field.kind, field.children, field.dictionary = values.kind, values.children, number
    if origin === nothing
        for name in (:bits, :signed, :unit, :zone, :precision, :scale, :width, :metadata)
            setfield!(field, name, getfield(values, name))
        end
    end
    return field
end

function pooled_field(name::String)
    field = Field(name, :null)
    field.index = with_bits(Field("", :int), 32)
    return field
end

function without_dictionary(field::Field)
    plain = copy_field(field)
    plain.dictionary = plain.index = nothing
    return plain
end

"""
A union of Julia's types, as [`arrow_types`](@ref) gives them: the values of each type, one after the other. A missing value
is a missing value of the first type.
"""
@noinline function encode_union!(out::Encoded, column::String, field::Field, @nospecialize(values), types::Vector{Any})
    tags, places, parts = Columns.flat_union(values, Any[Union{group...} for group in types])
    push!(out.nodes, (length(values), 0))
    push!(out.buffers, tags, places)
    for (k, part) in enumerate(parts)
        push!(field.children, encode!(out, column, string(types[k][1]), part, nothing))
        push!(field.tags, k - 1)
    end
    return field
end
