# What an IJulia notebook is to the packages loaded in it, for `julia_kernel.py`: cells run in Main with the REPL's soft
# scope, values are shown as HTML and text, `Out` and `ans` keep them, hooks run after each cell, and an interrupt is an
# exception. The connection file is the first argument. Requests come on standard input, answers go to the descriptor
# that ARROWSHM_REPLIES names. ARROWSHM_IJULIA says which IJulia is stood in for: "1.21" or "1.34".

module IJulia

import REPL

include("json.jl")

const REPLIES = fdio(parse(Int, ENV["ARROWSHM_REPLIES"]), true)
const IS_NEW = VersionNumber(ENV["ARROWSHM_IJULIA"]) >= v"1.30"

inited = false
ans = nothing
n = 0
const Out = Dict{Int,Any}()
const HOOKS = Function[]
push_postexecute_hook(f::Function) = push!(HOOKS, f)

if IS_NEW
    mutable struct Kernel
        ans::Any
    end
    function Base.setproperty!(kernel::Kernel, name::Symbol, value)
        setfield!(kernel, name, value)
        global ans = value
    end
    _default_kernel = Kernel(nothing)
    remember(value) = (_default_kernel.ans = value)
else
    remember(value) = (global ans = value)
end

function shown(value)
    context = (:limit => true, :color => false, :displaysize => (30, 80))
    data = Dict("text/plain" => repr("text/plain", value; context = IOContext(stdout, context...)))
    for mime in ("text/markdown", "text/html")  # the first that there is
        if showable(mime, value)
            data[mime] = repr(mime, value; context = IOContext(stdout, context...))
            break
        end
    end
    return data
end

function failed(error, trace)
    error = error isa LoadError ? error.error : error
    text = sprint((io, e) -> showerror(io, e, trace; backtrace = false), error)
    lines = split(sprint(Base.show_backtrace, trace), '\n')
    return (status = "error", ename = string(typeof(error)), evalue = text, traceback = [text; lines])
end

function execute(code, silent)
    silent || (global n += 1)
    try
        value = include_string(REPL.softscope, Main, code, "In[$n]")
        if !silent
            remember(value)
            value === nothing || value === Out || (Out[n] = value)
        end
        foreach(Base.invokelatest, HOOKS)
        return (status = "ok", data = value === nothing || silent ? nothing : Base.invokelatest(shown, value))
    catch error
        return failed(error, catch_backtrace())
    end
end

function reply(answer)
    flush(stdout)
    flush(stderr)
    write(REPLIES, sprint(json, answer), "\n")
    flush(REPLIES)
end

"Answer until the input ends. An interrupt between two cells is none."
function run_kernel()
    ccall(:jl_exit_on_sigint, Cvoid, (Cint,), 0)
    IS_NEW && popfirst!(ARGS)
    global inited = true
    reply((status = "ready",))
    while true
        try
            eof(stdin) && return
            nbytes, silent = split(readline(stdin))
            code = String(read(stdin, parse(Int, nbytes)))
            reply(Base.invokelatest(execute, code, silent == "1"))
        catch error
            error isa InterruptException || rethrow()
        end
    end
end

end

import .IJulia
import .IJulia: ans, Out
IJulia.run_kernel()
