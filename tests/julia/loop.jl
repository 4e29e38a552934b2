# Reads code from standard input, runs it in Main, and answers in JSON on the descriptor that ARROWSHM_REPLIES names.

module Session

const REPLIES = fdio(parse(Int, ENV["ARROWSHM_REPLIES"]), true)

include("json.jl")

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
    Main.ArrowSHM.let_go()
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

"Calls of the package's own functions on the store, as its public ones make them."
module Stores

import ArrowSHM

here() = ArrowSHM.default_store().directory
inside(f) = ArrowSHM.explaining(() -> ArrowSHM.with_directory(f, here()), here())
locked(f, timeout = ArrowSHM.LOCK_TIMEOUT) = ArrowSHM.explaining(() -> ArrowSHM.with_lock(f, here(), timeout), here())

end

Session.reply((value = nothing,))
Session.serve()
