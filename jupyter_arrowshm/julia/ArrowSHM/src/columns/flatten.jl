# From Julia's vectors to the buffers of Arrow's layout: the loops over rows.

"`nothing` if nothing is missing, else the bits of what is there, and how many values are missing."
function validity_of(column::AbstractVector{T}) where {T}
    Missing <: T || return nothing, 0
    bits, missing_ = zeros(UInt8, cld(length(column), 8)), 0
    i = 0
    for x in column
        x === missing ? (missing_ += 1) : (@inbounds bits[(i>>3)+1] |= 0x01 << (i & 7))
        i += 1
    end
    return missing_ == 0 ? nothing : bits, missing_
end

"The column itself where it is an array already, else `f` of each value, and zeros for what is missing."
flat(::typeof(identity), ::Type{S}, column::Vector{S}) where {S} = column
function flat(f, ::Type{S}, column::AbstractVector) where {S}
    values = Vector{S}(undef, length(column))
    i = 0
    for x in column
        @inbounds values[i+=1] = x === missing ? nothing_of(S) : f(x)
    end
    return values
end
nothing_of(::Type{S}) where {S} = reinterpret(S, zeros(UInt8, sizeof(S)))[1]
nothing_of(::Type{S}) where {S<:Number} = S(0)
nothing_of(::Type{Decimal{P,S}}) where {P,S} = Decimal{P,S}(0)

"Bits of booleans."
function flat_bits(column::AbstractVector)
    bits, i = zeros(UInt8, cld(length(column), 8)), 0
    for x in column
        x === true && (@inbounds bits[(i>>3)+1] |= 0x01 << (i & 7))
        i += 1
    end
    return bits
end

days_of(x::Date) = Int32(Dates.value(x) - 719163)

"`(offsets, bytes)` of texts or binaries; offsets of 64 bits where 32 do not suffice."
function flat_texts(column::AbstractVector)
    total = 0
    for x in column
        x === missing || (total += text_size(x))
    end
    return total <= typemax(Int32) ? flat_texts(Int32, column, total) : flat_texts(Int64, column, total)
end

function flat_texts(::Type{O}, column::AbstractVector, total::Int) where {O}
    offsets, bytes = Vector{O}(undef, length(column) + 1), Vector{UInt8}(undef, total)
    at, i = 0, 1
    offsets[1] = 0
    for x in column
        if x !== missing
            units = text_bytes(x)
            nbytes = length(units)
            nbytes <= total - at || error("the column was changed while it was shared")
            copy_units!(bytes, at, units, nbytes)
            at += nbytes
        end
        @inbounds offsets[i+=1] = at
    end
    return offsets, bytes
end

text_size(x::Union{String,SubString{String}}) = sizeof(x)
text_size(x::Symbol) = sizeof(x)
text_size(x) = length(text_bytes(x))
text_bytes(x::Union{String,SubString{String}}) = codeunits(x)
text_bytes(x::Union{Symbol,Char,AbstractString}) = codeunits(String(string(x)))
text_bytes(x::AbstractVector{UInt8}) = x

copy_units!(to, at, units, nbytes) = copyto!(to, at + 1, units, 1, nbytes)
function copy_units!(to, at, units::Base.CodeUnits{UInt8,<:Union{String,SubString{String}}}, nbytes)
    GC.@preserve to units unsafe_copyto!(pointer(to) + at, pointer(units), nbytes)
end

"`(offsets, elements)` of lists, elements as one vector."
function flat_lists(column::AbstractVector, ::Type{E}) where {E}
    total = 0
    for x in column
        x === missing || (total += length(x))
    end
    return total <= typemax(Int32) ? flat_lists(Int32, column, E, total) : flat_lists(Int64, column, E, total)
end

function flat_lists(::Type{O}, column::AbstractVector, ::Type{E}, total::Int) where {O,E}
    offsets, elements = Vector{O}(undef, length(column) + 1), Vector{E}(undef, total)
    at, i = 0, 1
    offsets[1] = 0
    for x in column
        if x !== missing
            for element in x
                elements[at+=1] = element
            end
        end
        @inbounds offsets[i+=1] = at
    end
    return offsets, elements
end

"Field `k` of named tuples; missing where the tuple is."
flat_field(column::AbstractVector, k::Int, ::Type{F}, nullable::Bool) where {F} =
    nullable ? Union{F,Missing}[x === missing ? missing : getfield(x, k) for x in column] : F[getfield(x, k) for x in column]
