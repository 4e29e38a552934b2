# Load once per machine: one process loads a name, the others wait for its table (docs/protocol.md, "Loading").

const LOADED, LOADING = ".loaded", ".loading"
const LOADS = :arrowshm_loads  # in the task's own storage: the lock files of what it loads

"The tables that were loaded from files: a store of its own, inside the other. They can be had again."
loaded_store(store::Store) = store_at(store.directory.path * "/" * LOADED)

"""
Call `f()` while nobody else loads this name in this store. `wait` is a number of seconds, or `nothing`: as long as the process
that loads lives. Throws [`Busy`](@ref), or [`LoadsItself`](@ref) for a function that would wait for itself.
"""
@noinline function in_turn(@nospecialize(f), store::Store, name::String, wait)
    loaded = loaded_store(store).directory
    lock = "$LOADING/$name"
    mine = get(task_local_storage(), LOADS, String[])::Vector{String}
    path = loaded.path * "/" * lock
    path in mine && throw(LoadsItself(name))
    # An interrupt is let in while this waits, and while `f` runs, but not between the lock and the `try` that gives it back.
    return disable_sigint() do
        file = explained(loaded) do
            open_directory(store.directory, true)  # it holds the other one
            take_turn(loaded, lock, name, wait === nothing ? Inf : Float64(wait))
        end
        try
            return task_local_storage(() -> reenable_sigint(f), LOADS, String[mine; path])
        finally
            give_turn(file, path)
        end
    end
end

"The lock file, locked. It lives only while somebody loads."
function take_turn(loaded::Directory, lock::String, name::String, timeout::Float64)
    begun = time_ns()
    while true
        file = open_turn(loaded, lock)
        taken = false
        try
            wait_for(() -> try_lock(file.fd, LOCK_EX), max(0.0, timeout - (time_ns() - begun) / 1e9)) ||
                throw(Busy("the loading of $(repr(name))", timeout))
            # Who had it removed the file: others may have made, and locked, the next one.
            taken = facts_of(file.fd).nlink > 0
            taken && return file
            unlock_file(file.fd)
        finally
            taken || close(file)
        end
    end
end

function open_turn(loaded::Directory, lock::String)
    while true
        file = with_directory(loaded, true) do at
            make_directory_at(at, LOADING)
            try
                open_at(at, lock, O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0o600)
            catch error
                error_number(error) == Libc.ENOENT || rethrow()  # else it was removed this instant, with all that is in it
                nothing
            end
        end
        file === nothing || return file
    end
end

"Its name first: who then gets the lock sees that the file is gone, and opens the next one."
function give_turn(file::Descriptor, path::String)
    try
        # Without a name it is not at the path any more: the directory was removed and made anew.
        facts_of(file.fd).nlink > 0 && unlink_at(AT_FDCWD, path)
    catch error
        error_number(error) === nothing && rethrow()
    finally
        unlock_file(file.fd)
        close(file)
    end
end

"""
The table of this name; where there is none, what `load()` returns is shared under it. A table that somebody shares by hand
meanwhile is the one that was asked for.
"""
@noinline function attach_or_load(@nospecialize(load), name::String, wait, store::Store)
    check_wait(wait)
    while true
        found = attach_if_there(store, name)
        found === nothing || return found
        found = in_turn(store, name, wait) do
            known = attach_if_there(store, name)  # somebody loaded it while we waited
            known === nothing || return known
            try
                share(name, Base.invokelatest(load); store = store)
            catch error
                error isa TableExists && error.name == name || rethrow()
            end
            return nothing
        end
        found === nothing || return found
    end
end

function attach_if_there(store::Store, name::String)
    try
        return attach(name; store = store)
    catch error
        error isa TableNotFound && error.name == name || rethrow()
        return nothing
    end
end
