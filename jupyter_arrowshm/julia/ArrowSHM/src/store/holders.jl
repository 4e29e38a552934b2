# The users of each table: the publisher's token, and the locks that are leases. None of this is written down anywhere:
# the kernel's own lock table is the state, so it cannot disagree with the live processes.

const ONE_PAGE = 3072  # bytes of /proc/locks that the kernel gives in one piece: a page, less room for a line
const QUIET, MOST_READS = 2, 20  # readings without anything new, and readings in all
const ASK_TIMEOUT = 0.1  # s; others who ask hold the lock for microseconds

"This process's mark of life: one id, and an empty locked file of that name in every directory it published to."
mutable struct Token
    id::String
    files::Dict{Tuple{UInt64,UInt64},Descriptor}
end
const TOKEN = Token("", Dict{Tuple{UInt64,UInt64},Descriptor}())

"The id that this process publishes under. It is not made at load: precompiled, it would be the same in every process."
function token_id()
    return guarded() do
        isempty(TOKEN.id) && (TOKEN.id = random_hex(16))
        TOKEN.id
    end
end

"""
Make sure that this process's token is in the directory, locked; the caller holds the directory lock. Without that
lock a sweeper could find the file after it is created and before it is locked, and take it for a dead process's.
"""
@noinline function show_token(directory::Integer)
    token = token_id()
    closing(open_live(directory)) do live
        found = facts_of(live)
        key = (found.device, found.inode)
        file = guarded(() -> get(TOKEN.files, key, nothing))
        if file === nothing || facts_of(file.fd).nlink == 0
            unlink_at(live, token)
            file = open_at(live, token, O_CREAT | O_EXCL | O_RDWR, 0o600)
            # A listing locks every token for an instant; if we gave up then, this process would pass for dead.
            have_lock(file.fd, LOCK_EX, "$LIVE/$token")
            guarded(() -> TOKEN.files[key] = file)
        end
    end
    return token
end

function open_live(directory::Integer)
    opened = try_open_at(directory, LIVE, DIRECTORY_FLAGS, (Libc.ENOENT,))
    opened === nothing || return opened
    make_directory_at(directory, LIVE)
    return open_at(directory, LIVE, DIRECTORY_FLAGS)
end

"A footer may say anything: `..`, or a path."
is_token(text::AbstractString) = length(text) == 32 && all(char -> char in '0':'9' || char in 'a':'f', text)

"Whether the process that published under `token` still runs: its token is locked."
@noinline function is_alive(directory::Integer, token::AbstractString)
    is_token(token) || return false
    token == TOKEN.id && return true
    # A process that has no descriptor left must not take the others for dead and remove their tables.
    file = try_open_at(directory, "$LIVE/$token", O_RDONLY | O_NOFOLLOW, (Libc.ENOENT, Libc.ELOOP, Libc.ENAMETOOLONG))
    file === nothing && return false
    return closing(fd -> !is_granted(fd, LOCK_SH), file)
end

"Whether the lock could be taken now. It is released explicitly: a child that is started meanwhile must not keep it."
function is_granted(fd::Integer, operation::Integer)
    try_lock(fd, operation) || return false
    unlock_file(fd)
    return true
end

"The inode of a token; 0 if the token is gone."
function token_inode(directory::Integer, token::AbstractString)
    file = open_any(directory, "$LIVE/$token")
    file === nothing && return UInt64(0)
    return closing(fd -> facts_of(fd).inode, file)
end

"Remove the tokens of processes that have ended; the caller holds the directory lock."
function remove_dead_tokens(directory::Integer)
    closing(open_live(directory)) do live
        for token in list_directory(live)
            is_alive(directory, token) || unlink_at(live, token)
        end
    end
end

"One look at /proc/locks (proc_locks(5)): the processes that hold a flock, by inode, on one file system."
struct Locks
    device::String
    certain::Bool  # the device is the one that stat(2) reports, so an inode is one file
    visible::Bool  # false where there is no such file, or an empty one; then "in use" can be told, but not by whom
    pids::Dict{Tuple{UInt64,String},Set{Int}}
end

Locks(directory::Directory, at::Integer) = (device = lock_device(directory, at); Locks(device, device == device_text(directory.identity[1])))
again(locks::Locks) = Locks(locks.device, locks.certain)

@noinline function Locks(device::String, certain::Bool)
    pids = Dict{Tuple{UInt64,String},Set{Int}}()
    # The kernel gives the list page by page, and releases it in between: if anybody on the machine unlocks something
    # meanwhile, the next page begins too late, and up to a fifth of the list was seen to be missing. So the list is read
    # until there is nothing new in it.
    quiet = 0
    for _ in 1:MOST_READS
        text = read_text("/proc/locks")
        (text === nothing || isempty(text) && is_masked()) && return Locks(device, certain, false, pids)
        quiet = read_locks!(pids, text, device) == 0 ? quiet + 1 : 0
        (quiet == QUIET || sizeof(text) < ONE_PAGE) && break
    end
    return Locks(device, certain, true, pids)
end

"Whether a container has put an empty list in the place of the kernel's: then it lacks a lock of our own, too."
is_masked() = closing(open_at(AT_FDCWD, "/proc/locks", O_RDONLY)) do fd
    try_lock(fd, LOCK_SH)
    return isempty(something(read_text("/proc/locks"), ""))
end

"Add the locks of one file system to `pids`; return how many were not in it."
function read_locks!(pids, text::AbstractString, device::String)
    wanted, news = parse_device(device), 0
    for line in split(text, '\n'; keepempty = false)
        words = split(line)
        # "12: FLOCK  ADVISORY  READ 4711 00:1b:42 0 EOF"; a blocked one has "->" in the second place
        length(words) >= 6 && words[2] == "FLOCK" || continue
        place, pid = rsplit(words[6], ':'; limit = 2), tryparse(Int, words[5])
        length(place) == 2 && parse_device(place[1]) == wanted || continue
        inode = tryparse(UInt64, place[2])
        (inode === nothing || pid === nothing) && continue
        known = get!(Set{Int}, pids, (inode, String(words[4])))
        news += !(pid in known)
        push!(known, pid)
    end
    return news
end

"""
The visible processes with a shared lock on this inode. A process that has ended is left out: if a forked child keeps its
lock, the kernel still names the parent, and that number may now belong to another user's process.
"""
lessees(locks::Locks, inode) =
    sort!(filter!(pid -> pid > 0 && is_of_this_user(pid), collect(get(Set{Int}, locks.pids, (UInt64(inode), "READ")))))

"""
The visible process with an exclusive lock on this inode, which is the token's owner. Where the list may mean another file
with this number, the process that the token's owner said it was.
"""
function owner(locks::Locks, inode, told)
    pids = filter!(pid -> pid > 0 && is_of_this_user(pid), collect(get(Set{Int}, locks.pids, (UInt64(inode), "WRITE"))))
    told in pids && return told
    return isempty(pids) || !locks.certain ? nothing : first(pids)
end

"All inodes with a shared lock."
leased(locks::Locks) = Set(inode for (inode, kind) in keys(locks.pids) if kind == "READ")

"Whether anybody has this segment attached. The lock itself is asked, so this also counts processes that nobody can see."
@noinline function is_leased(fd::Integer)
    held = Ref(true)
    wait_for(ASK_TIMEOUT) do
        held[] = !is_granted(fd, LOCK_EX)
        # A shared lock is refused, too: that is not a lease, but somebody who asks the same question, or a collector.
        return !held[] || is_granted(fd, LOCK_SH)
    end
    return held[]
end

function parse_device(text::AbstractString)
    parts = split(text, ':')
    length(parts) == 2 || return nothing
    return (tryparse(UInt, parts[1]; base = 16), tryparse(UInt, parts[2]; base = 16))
end

"Whether this is a process of this user."
function is_of_this_user(pid::Integer)
    try
        found = facts_at("/proc/$pid")
        return found !== nothing && found.uid == effective_user()
    catch error
        error_number(error) === nothing && rethrow()
        return false
    end
end

"`(device, path, bytes)` of what `pid` maps of files with this inode number, from proc_pid_maps(5)."
@noinline function mappings(pid::Integer, inode::Integer)
    found = Tuple{String,String,Int}[]
    for line in split(something(read_text("/proc/$pid/maps"), ""), '\n'; keepempty = false)
        # "7f00-7f80 r--s 00000000 00:1b 42    /dev/shm/.../trips.arrow (deleted)"
        words = split(line, ' '; limit = 6, keepempty = false)
        length(words) >= 5 && tryparse(UInt64, words[5]) == UInt64(inode) || continue
        from, to = (parse(UInt64, half; base = 16) for half in split(words[1], '-'))
        push!(found, (words[4], length(words) == 6 ? lstrip(words[6]) : "", to - from))
    end
    return found
end

"Path and bytes of what `pid` maps of this inode; `(\"\", 0)` if it maps none."
function mapped_by(pid::Integer, device::String, inode::Integer)
    found = filter!(mapping -> parse_device(mapping[1]) == parse_device(device), mappings(pid, inode))
    return isempty(found) ? ("", 0) : (found[end][2], maximum(mapping[3] for mapping in found))
end

"""
The processes among these that may have this file attached: none if nobody has its lock, and none that maps another file with
its number. This matters where the list of locks has another device than stat(2) (btrfs, overlay): it may mean another file.
"""
function sorted_out(pids::Vector{Int}, inode, fd::Integer)
    isempty(pids) || is_leased(fd) || return Int[]
    path = readlink("/proc/self/fd/$fd")
    return filter(pids) do pid
        paths = String[mapping[2] for mapping in mappings(pid, inode)]
        isempty(paths) || path in paths
    end
end
