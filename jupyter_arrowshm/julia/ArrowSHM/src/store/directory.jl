# The private directory that holds the tables: find it, make it, verify it, lock it (docs/protocol.md).

const ENVIRONMENT_VARIABLE = "JUPYTER_ARROWSHM_DIR"
const LIVE, PINS = ".live", ".pins"
const SHARED_MEMORY = "/dev/shm"
const MIN_SHARED_MEMORY = 1 << 30  # Docker and Kubernetes give 64 MB: too little for tables
const LOCK_TIMEOUT = 10.0  # s; the lock is held for microseconds, so a longer wait means a stopped process
# Their flock(2) locks bytes at a server: a mapping does not keep that lock, and our /proc/locks does not show it.
const WITHOUT_LOCKS = ("nfs", "nfs4", "cifs", "smb3", "lustre", "afs", "fuse.sshfs")
const NO_LOCKS = (Libc.EBADF, Libc.ENOLCK, Libc.ENOSYS, Libc.EOPNOTSUPP)  # of flock(2), where a file system has none
const DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW

"The directory that Python, Julia and the server agree on (docs/protocol.md, \"Which directory\")."
@noinline function default_path()
    chosen = get(ENV, ENVIRONMENT_VARIABLE, "")::String
    isempty(chosen) || return chosen
    return default_parent() * "/jupyter-arrowshm-" * string(effective_user())
end

default_parent() = has_large_shared_memory() ? SHARED_MEMORY : "/tmp"

@noinline function has_large_shared_memory()
    found = facts_at(SHARED_MEMORY)
    found !== nothing && isdir(found) && file_system_type(found.device) == "tmpfs" || return false
    directory = try_open_at(AT_FDCWD, SHARED_MEMORY, DIRECTORY_FLAGS, (Libc.EACCES, Libc.ENOENT))
    directory === nothing && return false
    room = closing(file_system_room, directory)
    # A tmpfs mounted with size=0 has no limit and reports 0 blocks.
    return room !== nothing && (room[1] == 0 || room[1] * room[3] >= MIN_SHARED_MEMORY)
end

"""
One directory of tables. `path` is absolute; its parent must exist. It must belong to user `owner` (-1: the effective one), who makes
it with `mode`: 0o755 or 0o750 for one that others may read. No more bits for group and others are accepted. `group` is that of the
directory and its tables (-1: the owner's own).
"""
mutable struct Directory
    path::String
    opened::Union{Nothing,Descriptor}
    identity::Tuple{UInt64,UInt64}
    lock_device::Union{Nothing,String}
    owner::Int
    mode::UInt16
    group::Int
    function Directory(path::AbstractString; owner::Int = -1, mode::Integer = 0o700, group::Int = -1)
        isabspath(path) || throw(UnsafeDirectory(path, "is a relative path", "give an absolute one"))
        return new(path, nothing, (0, 0), nothing, owner, mode, group)
    end
end
is_mine(directory::Directory) = directory.owner in (-1, effective_user())
is_open(directory::Directory) = directory.mode != 0o700

"""
The verified directory, or `nothing` if it does not exist and `create` is false. Throws [`UnsafeDirectory`](@ref) if it
is a symbolic link, belongs to somebody else, is open to others, or cannot be made.
"""
@noinline function open_directory(directory::Directory, create::Bool = false)
    opened = directory.opened
    found = try
        facts_at(directory.path)
    catch error
        code = error_number(error)
        code === nothing && rethrow()
        throw(refused(directory, code))
    end
    if found === nothing
        create || return nothing
    elseif opened !== nothing && opened.fd >= 0 && (found.device, found.inode) == directory.identity
        # Compared each time: the directory may have been removed and made anew.
        verify(directory, found)
        create && is_unfinished(directory, found) || return opened
    end
    return reopen(directory, create)
end

"""
Call `f` with the descriptor of the verified directory, or return `nothing` if there is none. The number is valid as long as
something refers to the descriptor: another task may reopen the directory, and the collector then closes the old descriptor.
"""
@noinline function with_directory(@nospecialize(f), directory::Directory, create::Bool = false)
    opened = open_directory(directory, create)
    opened === nothing && return nothing
    return GC.@preserve opened f(opened.fd)
end

@noinline function reopen(directory::Directory, create::Bool)
    try
        create && make_directory(directory.path)
        opened = open_at(AT_FDCWD, directory.path, DIRECTORY_FLAGS)
        found = facts_of(opened.fd)
        verify(directory, found)
        create && is_unfinished(directory, found) && let_readers_in(directory, opened.fd, found)
        kind = file_system_type(found.device)
        kind in WITHOUT_LOCKS && throw(without_locks(directory, "is on $kind, a network file system"))
        create && foreach(name -> make_directory_at(opened.fd, name), (LIVE, PINS))
        # The old descriptor is not closed here: another task may be using it. Its last reference closes it.
        directory.opened, directory.identity = opened, (found.device, found.inode)
        directory.lock_device = nothing  # it may be on another file system, mounted over the old one
        return opened
    catch error
        code = error_number(error)
        code === nothing && rethrow()
        throw(refused(directory, code))
    end
end

"Whether a directory that others may read is still closed to them: it is new, or a process was killed while it made it."
is_unfinished(directory::Directory, found::Facts) =
    is_open(directory) && (found.mode & 0o777 != directory.mode || directory.group ∉ (-1, found.gid))

"mkdir(2) obeys the umask, and knows no group."
function let_readers_in(directory::Directory, fd::Integer, found::Facts)
    if directory.group ∉ (-1, found.gid)
        change_mode(fd, 0o700)  # not a moment for the members of another group
        change_group(fd, directory.group)
    end
    change_mode(fd, directory.mode)
end

function verify(directory::Directory, found)
    owner = directory.owner < 0 ? effective_user() : directory.owner
    if found.uid != owner
        whose = owner == effective_user() ? "you" : "user $owner"
        throw(UnsafeDirectory(directory.path, "belongs to user $(Int(found.uid)), not to $whose", way_round(directory)))
    elseif found.mode & 0o077 & ~directory.mode != 0
        is_mine(directory) ||
            throw(UnsafeDirectory(directory.path, "can be written by others than its owner", "ask its owner to mend it"))
        what = is_open(directory) ? "can be written by other users" : "is open to other users"
        throw(UnsafeDirectory(directory.path, what, "run chmod $(string(directory.mode; base = 8)) $(directory.path)"))
    end
end

way_round(directory::Directory) =
    is_open(directory) ? "ask its owner or an administrator to remove it" :
    "ask its owner to remove it, or set \$$ENVIRONMENT_VARIABLE to a directory of yours"

without_locks(directory::Directory, reason) = UnsafeDirectory(
    directory.path, "$reason: its locks do not tell who uses a table",
    "set \$$ENVIRONMENT_VARIABLE to a directory in $SHARED_MEMORY or on a disk of this machine",
)

@noinline function refused(directory::Directory, code::Integer)
    code == Libc.EACCES && !is_mine(directory) && return UnsafeDirectory(
        directory.path, "is not open to you", "ask its owner to share with a group that you are in",
    )
    # In /dev/shm nobody can remove what another user put there.
    remove = Int(lstat(directory.path).uid) == effective_user() ? "remove it" : way_round(directory)
    # O_NOFOLLOW with O_DIRECTORY reports a link as ENOTDIR (open(2)).
    reason, remedy = if code == Libc.ELOOP || (code == Libc.ENOTDIR && islink(directory.path))
        "is a symbolic link", remove
    elseif code == Libc.ENOTDIR
        "is not a directory", remove
    elseif code == Libc.ENOENT
        "has no parent directory", "make that first"
    else
        "cannot be used ($(Libc.strerror(code)))", "set \$$ENVIRONMENT_VARIABLE to a directory of yours"
    end
    return UnsafeDirectory(directory.path, reason, remedy)
end

"Take a lock that others may hold for a moment. Throws [`Busy`](@ref)."
@noinline have_lock(fd::Integer, operation::Integer, what::AbstractString, timeout::Real = LOCK_TIMEOUT) =
    wait_for(() -> try_lock(fd, operation), timeout) || throw(Busy(what, timeout))

"""
Hold the directory lock and call `f` with the descriptor of the directory that the path leads to now. Throws
[`Busy`](@ref) if another process held it for `timeout` seconds.

The lock sits on `.live`, which only the owner can open. Every holder opens a descriptor of its own: flock belongs to the open file description, so two tasks that shared one
would both be let in.
"""
@noinline function with_lock(@nospecialize(f), directory::Directory, timeout::Real = LOCK_TIMEOUT)
    while true
        opened = open_directory(directory, true)
        held = GC.@preserve opened try_open_at(opened.fd, LIVE, DIRECTORY_FLAGS, (Libc.ENOENT,))
        if held === nothing  # removed this instant, alone or with the directory
            GC.@preserve opened make_directory_at(opened.fd, LIVE)
            continue
        end
        try
            have_lock(held.fd, LOCK_EX, directory.path, timeout)
            try
                # While we waited, the directory may have been removed and made anew.
                open_directory(directory) === opened && return GC.@preserve opened f(opened.fd)
            finally
                unlock_file(held.fd)
            end
        finally
            close(held)
        end
    end
end

"""
Run `f` to its end: an interrupt waits until it is done, except in pauses and long writes, so that everything `f` opens or
locks is closed and unlocked by its `finally`. An error of the operating system becomes the error of this package that tells
people what it means.
"""
@noinline explaining(@nospecialize(f), directory::Directory) = explained(() -> disable_sigint(f), directory)

"What [`explaining`](@ref) does about errors."
@noinline function explained(@nospecialize(f), directory::Directory)
    try
        return f()
    catch error
        code = error_number(error)
        code === nothing && rethrow()
        throw(explain(directory, code))
    end
end

function explain(directory::Directory, code::Integer)
    code in (Libc.EROFS, Libc.EACCES, Libc.EPERM, Libc.ELOOP, Libc.ENOTDIR) && return refused(directory, code)
    code in NO_LOCKS && return without_locks(directory, "is on a file system without locks ($(Libc.strerror(code)))")
    return StoreFailed(directory.path, code)
end

"Bytes that can still be written here. Makes the directory if there is none."
directory_room(directory::Directory) =
    explaining(() -> with_directory(room_left, directory, true), directory)

"""
How /proc/locks writes the device of this directory, as `"00:1b"`: the superblock's number, which differs from `st_dev`
on overlay and btrfs. It is read from a lock of our own (proc_pid_fdinfo(5)).
"""
@noinline function lock_device(directory::Directory, at::Integer)
    known = directory.lock_device
    known === nothing || return known
    learned = learn_lock_device(at)
    learned === nothing && return device_text(directory.identity[1])
    return directory.lock_device = learned
end

device_text(device) = string(device_major(device); base = 16, pad = 2) * ":" * string(device_minor(device); base = 16, pad = 2)

function learn_lock_device(at::Integer)
    name = ""
    try
        probe = try
            open_at(at, ".", O_TMPFILE | O_RDWR, 0o400)
        catch error
            error_number(error) === nothing && rethrow()
            name = DRAFT_PREFIX * random_hex(8)  # if we are killed here, it is removed like an abandoned draft
            open_at(at, name, O_CREAT | O_EXCL | O_RDWR, 0o400)
        end
        closing(probe) do fd
            try_lock(fd, LOCK_SH)
            for line in split(something(read_text("/proc/self/fdinfo/$fd"), ""), '\n')
                if startswith(line, "lock:")
                    return String(join(split(split(line)[7], ':')[1:2], ':'))
                end
            end
            return nothing
        end
    catch error
        error_number(error) === nothing && rethrow()
        return nothing
    finally
        isempty(name) || unlink_at(at, name)
    end
end
