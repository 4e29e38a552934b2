# The open file of a table: mapped, with its footer read.

@noinline function open_source(store::Store, name::String, wait)
    check_wait(wait)
    found = map_source(store, name)
    if found === nothing && wait !== nothing && wait > 0
        wait_for(() -> (found = map_source(store, name)) !== nothing, wait)
    end
    found === nothing && (found = map_source(loaded_store(store), name))
    found === nothing && throw(Base.invokelatest(not_found, store, name))  # not compiled before it happens
    return found
end

check_wait(wait) = wait === nothing || wait >= 0 || throw(ArgumentError("wait is a number of seconds, 0 or more"))

"Open, lock and map the file that has this name, and read its footer; `nothing` if there is none."
@noinline function map_source(store::Store, name::String)
    path = table_path(store, name)
    opened = with_directory(at -> open_shared(at, name, path, LOCK_TIMEOUT, is_open(store.directory)), store.directory)
    opened === nothing && return nothing
    file, found = opened
    try
        found.size == 0 && damaged("it is empty")
        footer = read_footer(file.fd, found.size)
        protocol = get(footer.facts, "protocol", PROTOCOL)
        protocol == PROTOCOL || throw(NewerProtocol(name, protocol, PROTOCOL))
        bytes = map_values(file, UInt8, Int(found.size), 0)
        return Source(name, path, version_of(found), file, bytes, footer, nothing, IdDict{Any,Any}())
    catch error
        close(file)
        error isa Damaged && throw(DamagedTable(name, path, error.reason))
        rethrow()
    end
end
