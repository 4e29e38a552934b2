# Reads code from standard input, runs it in Main, and answers in JSON on the descriptor that ARROWSHM_REPLIES names.

module Session

const REPLIES = fdio(parse(Int, ENV["ARROWSHM_REPLIES"]), true)

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

function reply(x)
    buffer = IOBuffer()
    json(buffer, x)
    write(REPLIES, take!(buffer), "\n")
    flush(REPLIES)
end

const OWN = Set(names(Main; all = true))

"Forget every variable that the tests made."
function clear()
    for name in setdiff(names(Main; all = true), OWN)
        isdefined(Main, name) && !isconst(Main, name) && Core.eval(Main, :($name = nothing))
    end
    GC.gc()
end

"What running the code prints."
function printed(code)
    standard = stdout
    reader, writer = redirect_stdout()
    try
        include_string(Main, code, "test")
    finally
        redirect_stdout(standard)
        close(writer)
    end
    return read(reader, String)
end

function answer(code)
    try
        return (value = include_string(Main, code, "test"),)
    catch error
        error = error isa LoadError ? error.error : error
        return (error = string(nameof(typeof(error))), text = sprint(showerror, error))
    end
end

function serve()
    while !eof(stdin)
        nbytes = parse(Int, readline(stdin))
        reply(Base.invokelatest(answer, String(read(stdin, nbytes))))
    end
end

end

using ArrowSHM
using Dates
Session.reply((value = nothing,))
Session.serve()
