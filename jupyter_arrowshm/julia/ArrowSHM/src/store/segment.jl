# One immutable file of the store: a draft that gets its name in one step when it is whole, and an open file, which its
# mappings hold.

const DRAFT_PREFIX = ".new-"
# A FIFO without O_NONBLOCK hangs. The access time is that of the last attach: a mere look must not change it.
const OPEN_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME
# absent; a link; a socket; somebody else's, twice; a device
const OPEN_TIMEOUT = 0.5  # s; who asks holds a lock for microseconds, and any reader of an open store could keep it for ever
const NO_TABLE = (Libc.ENOENT, Libc.ELOOP, Libc.ENXIO, Libc.EACCES, Libc.EPERM, Libc.ENODEV)

"A segment before it has a name. However the process dies, the kernel frees it."
mutable struct Draft
    file::Descriptor
    name::String  # where the file system has no O_TMPFILE: a dot file, locked by its writer
end

@noinline function Draft(directory::Integer)
    try
        return Draft(open_at(directory, ".", O_TMPFILE | O_RDWR, 0o600), "")
    catch error
        # EISDIR: a kernel before 3.11; EOPNOTSUPP: the file system; EINVAL, ENOENT: gVisor and FUSE.
        error_number(error) in (Libc.EISDIR, Libc.EOPNOTSUPP, Libc.EINVAL, Libc.ENOENT) || rethrow()
        name = DRAFT_PREFIX * random_hex(8)
        file = open_at(directory, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR, 0o600)
        have_lock(file.fd, LOCK_EX, name)
        return Draft(file, name)
    end
end

"""
Give the file its name, replacing any file that has it; the caller holds the directory lock. Returns the segment that lost
the name, or `nothing`, to be closed outside the lock: freeing a GiB takes 130 ms.
"""
@noinline function publish(draft::Draft, directory::Integer, name::String, access::Directory)
    access.group < 0 || change_group(draft.file.fd, access.group)
    change_mode(draft.file.fd, access.mode & 0o444)
    # This time tells one version from the next; the kernel's own time stands still for milliseconds.
    now = Clong[0, 0]
    ccall(:clock_gettime, Cint, (Cint, Ptr{Clong}), 0, now)
    set_times(draft.file.fd, (now[1], now[2]), (now[1], now[2]))
    target = name * SUFFIX
    linked = isempty(draft.name) ? DRAFT_PREFIX * random_hex(8) : draft.name
    old = nothing
    try
        # linkat(2) of an O_TMPFILE; it never replaces, hence the dot name and the rename.
        isempty(draft.name) && link_descriptor_at(draft.file.fd, directory, linked)
        old = open_any(directory, target)
        # Before the rename: a reader that finds the name must find it unlocked.
        unlock_file(draft.file.fd)
        rename_at(directory, linked, target)
    catch
        unlink_at(directory, linked)
        rethrow()
    end
    draft.name = ""
    return old
end

"Forget the file. Harmless after [`publish`](@ref)."
@noinline function discard(draft::Draft, directory::Directory)
    try
        isempty(draft.name) || with_directory(at -> unlink_at(at, draft.name), directory)
    finally
        close(draft.file)
    end
    return nothing
end

"A descriptor of the file that has this name, to keep its memory past an unlink; `nothing` if there is none."
function open_any(directory::Integer, file_name::AbstractString)
    try
        return open_at(directory, file_name, OPEN_FLAGS)
    catch error
        error_number(error) === nothing && rethrow()  # a link, a socket, no permission: there is no memory that we could hold
        return nothing
    end
end

"The table's file and what fstat(2) says, or `nothing` if there is none, or something else has the name."
@noinline function open_regular(directory::Integer, name::String)
    owner = facts_of(directory).uid
    # O_NOATIME is for the owner of a file alone.
    flags = owner == effective_user() ? OPEN_FLAGS : OPEN_FLAGS & ~O_NOATIME
    file = try_open_at(directory, name * SUFFIX, flags, NO_TABLE)
    file === nothing && return nothing
    found = facts_of(file.fd)
    isfile(found) && found.uid == owner && return (file, found)
    close(file)
    return nothing
end

"Leave a trace of the use, for the process that removes tables nobody has used for long, and only looks now and then."
function leave_trace(fd::Integer)
    try
        set_times(fd, (0, UTIME_NOW), (0, UTIME_OMIT))
    catch error
        error_number(error) === nothing && rethrow()  # where nothing may be written, nothing is removed either
    end
end

"""
The file that has this name now, with a shared lock; `nothing` if there is none. Every mapping made from it keeps the
open file description and with it the lock (mmap(2), NOTES): that is the lease. It must never be unlocked.

Throws [`Busy`](@ref) if somebody kept the file locked for `timeout` seconds. Where others may read, they may lock, too: there
a table that somebody keeps locked is mapped without a lease after half a second. Its data stays as valid, but the use is not counted.
"""
@noinline function open_shared(directory::Integer, name::String, path::String, timeout::Real, is_open::Bool = false)
    while true
        opened = open_regular(directory, name)
        opened === nothing && return nothing
        file, found = opened
        try
            # A process that asks whether the table is in use, or a collector, holds it for a moment.
            is_open ? wait_for(() -> try_lock(file.fd, LOCK_SH), OPEN_TIMEOUT) : have_lock(file.fd, LOCK_SH, path, timeout)
            found = facts_of(file.fd)
        catch
            close(file)
            rethrow()
        end
        if found.nlink > 0
            leave_trace(file.fd)
            return (file, found)
        end
        close(file)  # it lost its name between our open and our lock: the lease would be on an older version
    end
end

"Tells one version of a name from the next: an inode stays taken for as long as somebody maps it."
version_of(found::Facts) = (found.device, found.inode, found.changed)
const Version = Tuple{UInt64,UInt64,Int}
