# What torture.py is, in Julia: forks a process for each line that it reads, when everything was compiled.

module Torture

using ArrowSHM
using Random
using ArrowSHM: Store, TableExists, TableNotFound, TOKEN

const NAMES = ["a", "b", "c"]
const ACTIONS = ["share", "share", "share", "attach", "attach", "drop", "unshare", "pin", "unpin", "gc", "list"]
const ROWS = [0, 1, 100, 10_000, 100_000]
const END = -4711
const SECCOMP, PR_SET_NO_NEW_PRIVS, NEW_LISTENER = 317, 38, 8

const REPORTS = Ref{Cint}(1)
report(text::String) =
    ccall(:write, Cssize_t, (Cint, Cstring, Csize_t), REPORTS[], text * "\n", sizeof(text) + 1)

rows_of(version::Int) = ROWS[version % 5 + 1] + version % 7

function version_table(version::Int)
    n = rows_of(version)
    return Pair{String,Any}["x$version" => fill(version, n), "y" => fill(Float64(version), n), "z" => fill(string(version), n)]
end

"The version that this table is; fails if it is not one whole version."
function check(t::SharedTable)
    version = parse(Int, names(t)[1][2:end])
    size(t) == (rows_of(version), 3) || error("version $version: $(size(t))")
    same(t[1], version) && same(t[2], version) && same(t[3], string(version)) ||
        error("version $version has other cells")
    return version
end

function same(column, wanted)
    for cell in column
        isequal(cell, wanted) || return false
    end
    return true
end

function act(store::Store, action::String, name::String, version::Int, held::Vector{Any}, replace::Bool)
    if action == "open"  # to all users of the machine
        directory = ArrowSHM.Directory(store.directory.path; mode = 0o755)
        share(name, version_table(version); replace = replace, store = Store(directory))
    elseif action == "share"
        share(name, version_table(version); replace = replace, store = store)
    elseif action == "attach"
        push!(held, attach(name; store = store))
        check(held[end])
    elseif action == "drop"
        empty!(held)
        GC.gc()
    elseif action == "unshare"
        unshare(name; store = store)
    elseif action == "pin"
        ArrowSHM.pin(name; store = store)
    elseif action == "unpin"
        ArrowSHM.unpin(name; store = store)
    elseif action == "gc"
        ArrowSHM.gc(; store = store)
    else
        tables(; store = store)
    end
    return nothing
end

function step(store::Store, pick::MersenneTwister, held::Vector{Any})
    try
        act(store, rand(pick, ACTIONS), rand(pick, NAMES), rand(pick, 0:(1 << 40 - 1)), held, rand(pick) < 0.8)
    catch error
        error isa Union{TableNotFound,TableExists} || rethrow()
    end
    report("+")
    return nothing
end

function glance(store::Store, pick::MersenneTwister, held::Vector{Any})
    try
        t = attach(rand(pick, NAMES); store = store)
        push!(held, (check(t), t))
        report("=")
    catch error
        error isa TableNotFound || rethrow()
    end
    if length(held) > 5
        version, t = popfirst!(held)
        check(t) == version || error("version $version became another")
    end
    return nothing
end

"One action on the table `t`, intercepted."
function act_once(store::Store, action::String, seed::Int, filter::Vector{UInt8})
    held, result = Any[], "ok"
    isempty(filter) || send_descriptor(parse(Int, ENV["ARROWSHM_LISTENERS"]), install(filter, NEW_LISTENER))
    try
        act(store, action, "t", seed, held, true)
    catch error
        error isa ErrorException && rethrow()
        result = outcome(error)
    end
    empty!(held)
    GC.gc(false)
    ccall(:close, Cint, (Cint,), END)
    report(join(["? $result"; open_files(store.directory.path)], '\t'))
    return nothing
end

outcome(@nospecialize(error)) =
    error isa ArrowSHM.ArrowSHMError ? string(nameof(typeof(error))) : string(nameof(typeof(error)), ": ", repr(error))

"What this process has open in a store, but for the directory itself and the process's token."
function open_files(directory::String)
    return filter(map(target, readdir("/proc/self/fd"))) do path
        startswith(path, directory * "/") && !startswith(path, directory * "/.live/")
    end
end

function target(fd::String)
    try
        return readlink("/proc/self/fd/$fd")
    catch  # what lists them is one of them
        return ""
    end
end

"Put this thread, and what it forks, under a filter of seccomp(2)."
function install(filter::Vector{UInt8}, flags::Int)
    ccall(:prctl, Cint, (Cint, Culong, Culong, Culong, Culong), PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    program = UInt64[length(filter) ÷ 8, UInt64(UInt(pointer(filter)))]
    number = GC.@preserve filter program ccall(
        :syscall, Clong, (Clong, Clong, Clong, Ptr{UInt64}), SECCOMP, 1, flags, program,
    )
    number < 0 && error("seccomp: $(Libc.errno())")
    return Int(number)
end

"SCM_RIGHTS of unix(7), with struct msghdr and struct cmsghdr as 64-bit words."
function send_descriptor(socket::Int, fd::Int)
    byte, control = UInt8['.'], UInt64[20, 1 << 32 | 1, fd]
    data = UInt64[UInt64(UInt(pointer(byte))), 1]
    header = UInt64[0, 0, UInt64(UInt(pointer(data))), 1, UInt64(UInt(pointer(control))), 24, 0]
    sent = GC.@preserve byte control data header ccall(:sendmsg, Cssize_t, (Cint, Ptr{UInt64}, Cint), socket, header, 0)
    sent == 1 || error("sendmsg: $(Libc.errno())")
    return nothing
end

"What a line asks for."
function serve(line::String, steps::Int)
    kind, seed, filter, directory = split(line, ' '; limit = 4)
    filter = filter == "-" ? UInt8[] : hex2bytes(String(filter))
    try
        store, pick, held = Store(String(directory)), MersenneTwister(parse(Int, seed)), Any[]
        if startswith(kind, "do:")
            act_once(store, String(kind[4:end]), parse(Int, seed), filter)
        else
            isempty(filter) || install(filter, 0)
            while steps != 0
                kind == "work" ? step(store, pick, held) : glance(store, pick, held)
                steps -= 1
            end
        end
    catch error
        report("!$kind $seed: " * first(replace(sprint(showerror, error), '\n' => ' '), 1500))
    end
    return nothing
end

"Everything once, so that it is compiled, and nothing of it left: children must not look like this process."
function rehearse(folder::String)
    directory = joinpath(folder, "store")
    foreach(line -> serve(line * directory, 20), ("work 1 - ", "watch 1 - ", "do:list 1 00 "))
    for version in (2, 4), action in ("share", "share", "attach", "pin", "list", "unpin", "gc", "unshare", "unshare")
        serve("do:$action $version - $directory", 1)
    end
    try
        send_descriptor(-1, 1)
    catch
    end
    foreach(close, values(TOKEN.files))
    empty!(TOKEN.files)
    TOKEN.id = ""
    GC.gc()
    return nothing
end

"""
Julia writes the code that it compiles through a descriptor of `/proc/self/mem`. A forked child's leads to its parent's
memory, until it has its own.
"""
function own_memory(inherited::Int)
    fd = ccall(:open, Cint, (Cstring, Cint), "/proc/self/mem", ArrowSHM.O_RDWR | ArrowSHM.O_CLOEXEC)
    ccall(:dup2, Cint, (Cint, Cint), fd, inherited)
    ccall(:close, Cint, (Cint,), fd)
    return nothing
end

"The stream that random bytes are read from has some in store, which every child would give the same tokens."
own_randomness() = (isdefined(Random, :DEV_URANDOM) && (Random.DEV_URANDOM[] = open("/dev/urandom")); nothing)

function main()
    ccall(:signal, Ptr{Cvoid}, (Cint, Ptr{Cvoid}), 17, Ptr{Cvoid}(1))  # SIGCHLD: nobody waits, the kernel reaps
    REPORTS[] = -1
    mktempdir(rehearse, isdir("/dev/shm") ? "/dev/shm" : tempdir())
    REPORTS[] = 1
    memory = [parse(Int, fd) for fd in readdir("/proc/self/fd") if occursin(r"^/proc/\d+/mem$", target(fd))]
    foreach(own_memory, memory)
    own_randomness()
    report("ready")
    lines = fdio(0)  # not stdin: a child that sleeps runs its parent's event loop, which would read for it
    while !eof(lines)
        line = readline(lines)
        pid = ccall(:fork, Cint, ())
        if pid == 0
            foreach(own_memory, memory)
            own_randomness()
            serve(line, -1)
            ccall(:_exit, Cvoid, (Cint,), 0)
        end
        report("pid $pid")
    end
end

end

Torture.main()
