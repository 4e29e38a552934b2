# Notes about tables that were removed because nobody used them: one small file each, for "not found" to read. Nothing
# depends on a note (docs/protocol.md, "Removing what nobody holds").

const REMOVED = ".removed"
const MOST_NOTES, NOTE_BYTES = 100, 500

"Note why the table of this name was removed; the caller holds the directory lock. A full directory gets no note."
@noinline function write_note(directory::Integer, name::String, reason::String)
    try
        make_directory_at(directory, REMOVED)
        file = open_at(directory, "$REMOVED/$name", O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW, 0o600)
        closing(fd -> write_all(fd, Vector{UInt8}(reason)[1:min(end, NOTE_BYTES)]), file)
        closing(open_at(directory, REMOVED, DIRECTORY_FLAGS)) do at
            moment(note) = (found = open_any(at, note)) === nothing ? 0 : closing(fd -> facts_of(fd).changed, found)
            known = sort!(list_directory(at); by = moment)
            foreach(note -> unlink_at(at, note), known[1:max(0, end - MOST_NOTES)])
        end
    catch error
        error_number(error) === nothing && rethrow()
    end
    return nothing
end

"When (UTC) the last table of this name was removed, and why; `nothing` if it was not, or that was long ago."
@noinline function read_note(directory::Integer, name::String)
    file = open_any(directory, "$REMOVED/$name")
    file === nothing && return nothing
    return closing(file) do fd
        found = facts_of(fd)
        isfile(found) || return nothing
        return Dates.unix2datetime(found.changed / 1e9), String(read_at(fd, 0, min(found.size, NOTE_BYTES)))
    end
end

"Remove the note: the name has a table again, or somebody removed it. The caller holds the directory lock."
function forget_note(directory::Integer, name::String)
    try
        unlink_at(directory, "$REMOVED/$name")
    catch error
        error_number(error) === nothing && rethrow()
    end
    return nothing
end

"The error for a name that has no table: it says what happened to the table, or which names look alike."
@noinline function not_found(store, name::String)
    note = with_directory(at -> read_note(at, name), store.directory)
    near = near_names(name, table_names(store))
    return note === nothing ? TableNotFound(name, near) : TableNotFound(name, near, note[1], printable(note[2]))
end
