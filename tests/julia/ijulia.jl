# What an IJulia notebook is to the packages loaded in it, for `julia_kernel.py`: cells run in Main with the REPL's soft
# scope, values are shown as HTML and text, `Out` and `ans` keep them, hooks run after each cell, requests for completions go
# through `handlers`, and an interrupt is an exception. The connection file is the first argument. Requests come on standard input, answers go to the descriptor
# that ARROWSHM_REPLIES names. ARROWSHM_IJULIA says which IJulia is stood in for: "1.21", "1.30" or "1.34".

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
        Out::Dict{Int,Any}
    end
    function Base.setproperty!(kernel::Kernel, name::Symbol, value)
        setfield!(kernel, name, value)
        global ans = value
    end
    # In 1.30 the variable had another type than the field, so that it was a converted copy.
    _default_kernel = Kernel(nothing, ENV["ARROWSHM_IJULIA"] == "1.30" ? Dict{Int,Any}() : Out)
    remember(value) = (_default_kernel.ans = value)
    history() = _default_kernel.Out
else
    remember(value) = (global ans = value)
    history() = Out
end

# Requests and their handlers, which have had the kernel before the message since 1.30. Positions are letters (protocol 5.2).
struct Msg
    header::Dict
    content::Dict
end
chr2ind(m::Msg, str::String, ic::Integer) = ic == 0 ? 0 : nextind(str, 0, ic)
ind2chr(m::Msg, str::String, i::Integer) = i == 0 ? 0 : length(str, 1, i)
msg_reply(m::Msg, msg_type, content, metadata = Dict{String,Any}()) = Msg(Dict("msg_type" => msg_type), content)
const SENT = Msg[]
const SOCKET = nothing
if IS_NEW
    send_ipython(socket, kernel, m::Msg) = push!(SENT, m)
    complete_request(socket, kernel, msg) = send_ipython(socket, kernel, completed(msg))
    handle(type, msg) = Base.invokelatest(handlers[type], SOCKET, _default_kernel, msg)
else
    send_ipython(socket, m::Msg) = push!(SENT, m)
    complete_request(socket, msg) = send_ipython(socket, completed(msg))
    handle(type, msg) = Base.invokelatest(handlers[type], SOCKET, msg)
end
function completed(msg)
    code, cursor = msg.content["code"], msg.content["cursor_pos"]
    found, range, = REPL.REPLCompletions.completions(code, chr2ind(msg, code, cursor), Main)
    start, stop = isempty(range) ? (cursor, cursor) : (ind2chr(msg, code, prevind(code, first(range))), cursor)
    return msg_reply(msg, "complete_reply", Dict(
        "status" => "ok", "matches" => map(REPL.REPLCompletions.completion_text, found), "metadata" => Dict(),
        "cursor_start" => start, "cursor_end" => stop,
    ))
end
const handlers = Dict{String,Function}("complete_request" => complete_request)

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
            value === nothing || value === history() || (history()[n] = value)
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
            if startswith(silent, "complete:")
                content = Dict("code" => code, "cursor_pos" => parse(Int, split(silent, ':')[2]))
                handle("complete_request", Msg(Dict("version" => "5.4"), content))
                reply(pop!(SENT).content)
            else
                reply(Base.invokelatest(execute, code, silent == "1"))
            end
        catch error
            error isa InterruptException || rethrow()
        end
    end
end

end

import .IJulia
import .IJulia: ans, Out
IJulia.run_kernel()
