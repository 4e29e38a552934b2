# How much can still be written: the room left in the file system and, where files are memory, the memory left.

"`(blocks, available, fragment)` of fstatvfs(3), or `nothing` where its layout is not known here (not 64-bit Linux)."
function file_system_room(fd::Integer)
    Sys.islinux() && Sys.WORD_SIZE == 64 || return nothing
    found = zeros(UInt64, 32)  # f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, ...
    ccall(:fstatvfs, Cint, (Cint, Ptr{UInt64}), fd, found) == 0 || return nothing
    return (found[3], found[5], found[2])
end

"Bytes that can still be written to the file system of this descriptor; `typemax` where that is not known."
@noinline function room_left(fd::Integer)
    found = file_system_room(fd)
    found === nothing && return typemax(Int)
    blocks, available, fragment = found
    left = blocks == 0 ? typemax(Int) : Int(min(widemul(available, fragment), typemax(Int)))
    # A page of tmpfs is memory: beyond a cgroup's limit the OOM killer comes, not ENOSPC.
    file_system_type(facts_of(fd).device) == "tmpfs" && (left = min(left, memory_left()))
    return max(0, left)
end

"The device as the kernel prints it: makedev(3)."
device_major(device) = (device >> 8) & 0xfff | (device >> 32) & ~UInt64(0xfff)
device_minor(device) = device & 0xff | (device >> 12) & ~UInt64(0xff)

"The type of the file system with this `st_dev`, from proc_pid_mountinfo(5); `nothing` where that is not known."
@noinline function file_system_type(device::Integer)
    text = read_text("/proc/self/mountinfo")
    text === nothing && return nothing
    number = "$(device_major(UInt64(device))):$(device_minor(UInt64(device)))"
    for line in split(text, '\n'; keepempty = false)
        halves = split(line, " - "; limit = 2)
        length(halves) == 2 || continue
        words = split(halves[1], ' '; limit = 4)
        length(words) >= 3 && words[3] == number && return String(first(split(halves[2], ' ')))
    end
    return nothing
end

"Bytes of memory that this process may still fill: the system's and every enclosing cgroup's."
@noinline function memory_left()
    left = Int[]
    text = read_text("/proc/meminfo")
    if text !== nothing
        counts = key_counts(text)
        haskey(counts, "MemAvailable:") &&
            push!(left, 1024 * (counts["MemAvailable:"] + get(counts, "SwapFree:", 0)))
    end
    entries = something(read_text("/proc/self/cgroup"), "")
    for entry in split(entries, '\n'; keepempty = false)
        parts = split(entry, ':'; limit = 3)
        length(parts) == 3 || continue
        _, controllers, group = parts
        if isempty(controllers)
            roots, limit, usage = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory.max", "memory.current"
        elseif "memory" in split(controllers, ',')
            roots, limit, usage = ["/sys/fs/cgroup/memory"], "memory.limit_in_bytes", "memory.usage_in_bytes"
        else
            continue
        end
        for root in roots
            path = root * rstrip(String(group), '/')
            # In a container the path is the host's: missing parts are skipped, and the root is the container's own.
            while length(path) >= length(root)
                free = cgroup_left(path, limit, usage)
                free === nothing || push!(left, free)
                path = dirname(path)
            end
        end
    end
    return isempty(left) ? typemax(Int) : max(0, minimum(left))
end

"The limit less what cannot be reclaimed: a cgroup's usage includes page cache, which can be reclaimed."
function cgroup_left(path, limit, usage)
    most = read_number(joinpath(path, limit))  # "max" is not a number
    used = read_number(joinpath(path, usage))
    text = read_text(joinpath(path, "memory.stat"))
    (most === nothing || used === nothing || text === nothing) && return nothing
    counts = key_counts(text)
    prefix = haskey(counts, "total_active_file") ? "total_" : ""
    reclaimable = ("active_file", "inactive_file", "slab_reclaimable")
    return min(most, most - used + sum(get(counts, prefix * key, 0) for key in reclaimable))
end

function read_number(path)
    text = read_text(path)
    return text === nothing ? nothing : tryparse(Int, strip(text))
end

function key_counts(text::AbstractString)
    counts = Dict{String,Int}()
    for line in split(text, '\n'; keepempty = false)
        words = split(line)
        length(words) >= 2 || continue
        number = tryparse(Int, words[2])
        number === nothing || (counts[String(words[1])] = number)
    end
    return counts
end
