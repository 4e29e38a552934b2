# The only code that removes what nobody holds. A removed file's descriptor is closed outside the directory lock: freeing
# a GiB takes 130 ms.

"""
Remove dead tokens, abandoned drafts and pins without a table; the caller holds the directory lock. Returns the files
that lost their names, to be closed after that lock is released.
"""
@noinline function sweep(directory::Integer)
    remove_dead_tokens(directory)
    removed = Descriptor[]
    for entry in list_directory(directory)
        startswith(entry, DRAFT_PREFIX) || continue
        file = open_any(directory, entry)
        file === nothing && continue
        # A draft has a name either under the directory lock, which we hold, or while its writer keeps it locked.
        try_lock(file.fd, LOCK_SH) && unlink_at(directory, entry)
        push!(removed, file)
    end
    for name in list_at(directory, PINS)
        exists_at(directory, name * SUFFIX) || remove_pin(directory, name)
    end
    return removed
end

function list_at(directory::Integer, name::String)
    opened = try_open_at(directory, name, DIRECTORY_FLAGS, (Libc.ENOENT,))
    return opened === nothing ? String[] : closing(list_directory, opened)
end

"Whether [`sweep`](@ref) would find something, asked without the directory lock."
is_littered(directory::Integer) =
    any(entry -> startswith(entry, DRAFT_PREFIX), list_directory(directory)) ||
    any(token -> !is_alive(directory, token), list_at(directory, LIVE))

"[`sweep`](@ref), by itself."
@noinline function tidy(directory::Directory)
    removed = with_lock(sweep, directory)
    foreach(close, removed)
end

"Remove the table if nobody holds it and it is not pinned. Returns its bytes, or `nothing` if it stays."
@noinline function collect_table(store::Store, name::String)
    file = nothing
    try
        return with_lock(store.directory) do at
            opened = open_regular(at, name)
            opened === nothing && return nothing
            file, found = opened
            is_pinned(at, name) && return nothing
            entry = summary_of(store, at, name)
            (entry === nothing || entry[2] === nothing) && return nothing
            is_alive(at, get(entry[2].facts, "token", "")) && return nothing
            # Refused: somebody has it attached. Granted: nobody can attach it before it has lost its name.
            try_lock(file.fd, LOCK_EX) || return nothing
            unlink_at(at, name * SUFFIX)
            write_note(at, name, "nobody used it when ArrowSHM.gc() was called")
            return Int(found.size)
        end
    finally
        file === nothing || close(file)
    end
end

"Sweep, then remove every unpinned table that nobody holds. Returns the names and bytes of the removed tables."
@noinline function collect_all(store::Store)
    removed = Dict{String,Int}()
    open_directory(store.directory) === nothing && return removed
    tidy(store.directory)
    for name in table_names(store)
        nbytes = collect_table(store, name)
        nbytes === nothing || (removed[name] = nbytes)
    end
    return removed
end
