# Which Arrow type a Julia vector becomes, and its nodes and buffers in Arrow's order.

using .Columns: days_of, flat, flat_bits, flat_field, flat_lists, flat_texts, validity_of

"A table as Arrow has it: fields, and the nodes and buffers of one record batch."
struct Encoded
    kind::String
    rows::Int
    fields::Vector{Field}
    nodes::Vector{Tuple{Int,Int}}
    buffers::Vector{Any}  # arrays of plain values; `nothing` is an empty buffer
end

nbytes_of(@nospecialize(buffer)) = (buffer === nothing ? 0 : Base.invokelatest(sizeof, buffer))::Int
function body_size(encoded::Encoded)
    total = 0
    for buffer in encoded.buffers
        total += padded(nbytes_of(buffer))
    end
    return total
end
padded(nbytes::Int) = (nbytes + 63) & ~63  # the specification's recommendation, for vector instructions

"Encode columns of one length. Throws [`UnsupportedSource`](@ref)."
@noinline function encode_table(kind::String, columns::Vector{Pair{String,Any}}, rows::Int)
    encoded = Encoded(kind, rows, Field[], Tuple{Int,Int}[], Any[])
    for (name, column) in columns
        length(column) == rows || throw(UnsupportedSource(
            kind, "it has $(words_count(length(column), "row")), the first column $rows", "Make them equally long.", name,
        ))
        push!(encoded.fields, encode!(encoded, name, name, column))
    end
    return encoded
end

"Append the nodes and buffers of a column; gives its field. `column` is the label that an error names."
@noinline function encode!(out::Encoded, column::String, name::String, @nospecialize(values))
    Base.has_offset_axes(values) && (values = collect(values))
    T = eltype(values)
    N = Base.nonmissingtype(T)
    if !is_carried(N)
        # Vectors of Any, and of unions: what is in them may be of one type all the same.
        values = map(identity, values)
        T = eltype(values)
        N = Base.nonmissingtype(T)
    end
    if N === Union{}
        push!(out.nodes, (length(values), length(values)))
        return Field(name, :null)
    end
    bits, missings = validity_of(values)
    push!(out.nodes, (length(values), missings))
    push!(out.buffers, bits)
    return encode_values!(out, column, name, values, N)
end

is_carried(::Type{N}) where {N} = N !== Any && (isconcretetype(N) || N <: AbstractString)

@noinline function encode_values!(out::Encoded, column::String, name::String, @nospecialize(values), @nospecialize(N))
    if N === Bool
        push!(out.buffers, flat_bits(values))
        return Field(name, :bool)
    elseif N <: Union{AbstractString,Symbol,Char,Bytes}
        offsets, bytes = flat_texts(values)
        push!(out.buffers, offsets, bytes)
        kinds = N <: Bytes ? (:binary, :large_binary) : (:utf8, :large_utf8)
        return Field(name, kinds[eltype(offsets) === Int32 ? 1 : 2])
    elseif N === Date
        push!(out.buffers, flat_or_explain(days_of, Int32, values, out, column))
        return Field(name, :date)
    elseif N === DateTime
        push!(out.buffers, flat(x -> Dates.value(x) - Columns.EPOCH_MS, Int64, values))
        return with_unit(Field(name, :timestamp), 1)
    elseif N <: AbstractVector
        offsets, elements = flat_lists(values, eltype(N))
        push!(out.buffers, offsets)
        child = encode!(out, column, "item", elements)
        field = Field(name, eltype(offsets) === Int32 ? :list : :large_list)
        push!(field.children, child)
        return field
    elseif N <: NamedTuple && isconcretetype(N)
        nullable = Missing <: eltype(values)
        children = Field[
            encode!(out, column, String(fieldname(N, k)), flat_field(values, k, fieldtype(N, k), nullable))
            for k in 1:fieldcount(N)
        ]
        field = Field(name, :struct)
        append!(field.children, children)
        return field
    end
    field = fixed_field(name, N)
    field === nothing && unsupported(out.kind, column, N)
    push!(out.buffers, flat(identity, N, values))
    return field
end

"The field of values that Arrow has just as Julia has them; `nothing` if `N` is none."
@noinline function fixed_field(name::String, @nospecialize(N))
    if N <: Union{Int8,Int16,Int32,Int64,UInt8,UInt16,UInt32,UInt64}
        field = Field(name, :int)
        field.bits, field.signed = 8 * sizeof(N), N <: Signed
    elseif N <: Union{Float16,Float32,Float64}
        field = Field(name, :float)
        field.bits = 8 * sizeof(N)
    elseif N === Time
        field = with_unit(Field(name, :time), 3)
        field.bits = 64
    elseif N in PERIODS
        field = with_unit(Field(name, :duration), findfirst(==(N), PERIODS) - 1)
    elseif N <: Timestamp && isconcretetype(N)
        field = with_unit(Field(name, :timestamp), findfirst(==(N.parameters[1]), PERIODS) - 1)
        zone = N.parameters[2]
        field.zone = zone === nothing ? nothing : String(zone)
    elseif N <: Decimal && isconcretetype(N)
        field = Field(name, :decimal)
        field.bits, field.precision, field.scale = 128, N.parameters[1], N.parameters[2]
    elseif N <: NTuple{K,UInt8} where {K} && isconcretetype(N) && fieldcount(N) > 0
        field = Field(name, :fixed_binary)
        field.width = fieldcount(N)
    else
        return nothing
    end
    return field
end

function with_unit(field::Field, unit::Int)
    field.unit = unit
    return field
end

function flat_or_explain(f, ::Type{S}, values, out::Encoded, column::String) where {S}
    try
        return flat(f, S, values)
    catch error
        error isa InexactError || rethrow()
        throw(UnsupportedSource(out.kind, "it holds a date that Arrow's 32 bits of days do not reach", "Share it as text: string.(column).", column))
    end
end

@noinline function unsupported(kind::String, column::String, @nospecialize(N))
    reason, remedy = if N === Nothing || (N isa Union && Nothing <: N)
        "it holds `nothing`", "Say what is not there with `missing`: replace(column, nothing => missing)."
    elseif N <: Union{Int128,UInt128,BigInt}
        "Arrow has no integers of the type $N", "Convert it: Int64.(column), or Float64.(column)."
    elseif N <: Number && isconcretetype(N)
        "Arrow has no numbers of the type $N", "Convert it: Float64.(column), or share its parts as columns."
    elseif N <: AbstractDict
        "it holds dictionaries", "Share named tuples, or vectors of (key = ..., value = ...)."
    elseif isconcretetype(N)
        "it holds values of the type $N", "Convert them to numbers, text, dates, vectors or named tuples."
    else
        "its values are of several types ($N)", "Convert them to one type."
    end
    throw(UnsupportedSource(kind, reason, remedy, column))
end

# -- tables ------------------------------------------------------------------------------------------------------------

"Functions `table -> nothing | (kind, columns, rows)` of packages that are loaded (Tables.jl)."
const TABULAR = Any[]

"A table's kind, its columns by label, and its number of rows. Throws [`UnsupportedSource`](@ref)."
@noinline function to_columns(@nospecialize(table))
    if table isa SharedTable
        columns = Pair{String,Any}[name => column(table, i) for (i, name) in enumerate(names(table))]
        return "SharedTable", columns, size(table, 1)
    elseif table isa NamedTuple && all(value -> value isa AbstractVector, values(table))
        return with_rows("NamedTuple", Pair{String,Any}[String(key) => value for (key, value) in pairs(table)])
    elseif table isa AbstractDict && all(is_labelled, pairs(table))
        columns = Pair{String,Any}[string(key) => value for (key, value) in pairs(table)]
        # A Dict has no order; sorted, the same table is the same file.
        return with_rows("Dict", table isa Dict ? sort!(columns; by = first) : columns)
    elseif table isa AbstractVector && !isempty(table) && all(x -> x isa Pair && is_labelled(x), table)
        return with_rows("vector of pairs", Pair{String,Any}[string(key) => value for (key, value) in table])
    elseif table isa AbstractVector && eltype(table) <: NamedTuple && isconcretetype(eltype(table))
        N = eltype(table)
        columns = Pair{String,Any}[
            String(fieldname(N, k)) => flat_field(table, k, fieldtype(N, k), false) for k in 1:fieldcount(N)
        ]
        return "vector of NamedTuples", columns, length(table)
    end
    for convert in TABULAR
        found = Base.invokelatest(convert, table)
        found === nothing || return found
    end
    throw(UnsupportedSource(
        string(typeof(table)),
        "it is no table",
        "Share a NamedTuple or Dict of vectors, a vector of NamedTuples, or any table of the Tables.jl interface.",
    ))
end

is_labelled((key, value)::Pair) = key isa Union{Symbol,AbstractString} && value isa AbstractVector
with_rows(kind::String, columns::Vector{Pair{String,Any}}) =
    kind, columns, isempty(columns) ? 0 : length(columns[1].second)
