# Writes JSON: of all of Julia what the tests ask for.

json(io, x::Union{Missing,Nothing}) = print(io, "null")
json(io, x::Bool) = print(io, x)
json(io, x::Union{Signed,Unsigned}) = print(io, BigInt(x))
json(io, x::AbstractFloat) = print(io, isfinite(x) ? repr(Float64(x)) : "\"$x\"")
json(io, x::Pair) = json(io, [x.first, x.second])
json(io, x::NamedTuple) = json(io, Dict(pairs(x)))
json(io, x::Union{AbstractVector,Tuple,AbstractSet}) = sequence(io, x, json, '[', ']')
json(io, x::AbstractDict) =
    sequence(io, collect(x), (io, (k, v)) -> (json(io, string(k)); print(io, ":"); json(io, v)), '{', '}')
json(io, x::Union{Symbol,Char}) = json(io, string(x))
json(io, x) = json(io, string(x))

function json(io, x::AbstractString)
    print(io, '"')
    for char in x
        if char in ('"', '\\')
            print(io, '\\', char)
        elseif char < ' '
            print(io, "\\u", string(UInt16(char); base = 16, pad = 4))
        else
            print(io, char)
        end
    end
    print(io, '"')
end

function sequence(io, items, item, from, to)
    print(io, from)
    for (i, x) in enumerate(items)
        i > 1 && print(io, ",")
        item(io, x)
    end
    print(io, to)
end
