# One table on its way into the store: from the check of its name to the moment everybody sees it.

const SLACK = 1 << 16  # bytes for the schema, the footer and padding; for each column, twice
const SLACK_OF_COLUMN = 1 << 9

publish_table(store::Store, name::String, encoded::Encoded, metadata, replace::Bool, pinning::Bool) =
    with_room(() -> write_table(store, name, encoded, metadata, replace, pinning), store, encoded)

"Call `f`, which writes the table into the store's directory, if there is room for it."
@noinline function with_room(@nospecialize(f), store::Store, encoded::Encoded)
    directory = store.directory
    needed = file_size(encoded) + SLACK + SLACK_OF_COLUMN * length(encoded.fields)
    free = directory_room(directory)
    needed <= free || throw(Base.invokelatest(no_room, store, needed, free))
    try
        return explaining(f, directory)
    catch error
        error isa StoreFailed && error.code in (Libc.ENOSPC, Libc.EDQUOT) || rethrow()
        throw(Base.invokelatest(no_room, store, needed, directory_room(directory)))
    end
end

function write_table(store::Store, name::String, encoded::Encoded, metadata, replace::Bool, pinning::Bool)
    directory, who = store.directory, myself()
    facts = facts_now(name, encoded, who)
    allowed, draft = with_lock(directory) do at
        version = check_owner(store, at, name, who, replace, nothing)
        show_token(at)
        # Under the lock: a draft that has a name belongs to nobody until it is locked.
        return version, Draft(at)
    end
    try
        write_file(draft.file.fd, encoded, facts, metadata)
        found, pinned = name_draft(store, draft, name, who, replace, pinning, allowed)
        facts = Dict{String,String}(facts)
        summary = Summary(facts, encoded.fields, encoded.rows)
        return describe(store, name, found, summary, publisher_of(facts, true, who.pid), [who], pinned)
    finally
        discard(draft, directory)
    end
end

"What a table that is published now says about itself and its publisher."
function facts_now(name::String, encoded::Encoded, who::Holder)
    facts = Pair{String,String}[
        "protocol" => PROTOCOL, "id" => random_hex(16), "name" => name, "rows" => string(encoded.rows),
        "published" => string(Dates.now(Dates.UTC)) * "+00:00", "boot" => boot_id(), "token" => token_id(),
        "pid" => string(who.pid), "language" => who.language, "kernel" => who.kernel_id, "notebook" => who.notebook,
        "script" => who.script, "program" => program(who), "source" => encoded.kind, "version" => VERSION_OF_CLIENT,
        "library" => "ArrowSHM.jl $VERSION_OF_CLIENT",
    ]
    return filter!(fact -> !isempty(fact.second), facts)
end

"""
Write the table into a file without a name, and call `f` with its descriptor. If `f` fails, or this process dies, nothing of it is left.
"""
@noinline function with_written(@nospecialize(f), store::Store, name::String, encoded::Encoded, metadata)
    directory = store.directory
    draft = explaining(() -> with_lock(Draft, directory), directory)
    try
        with_room(() -> write_file(draft.file.fd, encoded, facts_now(name, encoded, myself()), metadata), store, encoded)
        return f(RawFD(draft.file.fd))
    finally
        discard(draft, directory)
    end
end

"Give the written draft its name; return what fstat(2) says about it, and whether it is pinned."
@noinline function name_draft(store::Store, draft::Draft, name::String, who::Holder, replace::Bool, pinning::Bool, allowed)
    later = Descriptor[]
    try
        return with_lock(store.directory) do at
            check_owner(store, at, name, who, replace, allowed)
            append!(later, sweep(at))
            # Again: the directory may have been removed and made anew since we began.
            show_token(at)
            # The pin comes first: if we are killed in between, it is a pin without a table, which the next sweep clears.
            pins = pinning && !is_pinned(at, name)
            pins && make_pin(at, name)
            try
                old = publish(draft, at, name, store.directory)
                old === nothing || push!(later, old)
            catch
                pins && remove_pin(at, name)  # else the older version would be pinned
                rethrow()
            end
            forget_note(at, name)
            return facts_of(draft.file.fd), is_pinned(at, name)
        end
    finally
        foreach(close, later)
    end
end

"The version that has the name now, if it is ours, or is `allowed`, or replacing was asked for."
@noinline function check_owner(store::Store, at::Integer, name::String, who::Holder, replace::Bool, allowed)
    entry = summary_of(store, at, name)
    entry === nothing && return nothing
    version, summary = entry
    (replace || version == allowed) && return version
    facts = summary === nothing ? Dict{String,String}() : summary.facts
    is_mine(at, facts, who) && return version
    throw(Base.invokelatest(table_exists, at, name, facts))  # not compiled before it happens
end

"Whether this process published the file, or its kernel before a restart, or an earlier run of its program."
function is_mine(at::Integer, facts::Dict{String,String}, who::Holder)
    same(key, value) = !isempty(value) && get(facts, key, "") == value
    same("token", TOKEN.id) && return true
    # While it lives, nobody else counts as it: workers of one script that start together would each get another version.
    return (same("kernel", who.kernel_id) || same("program", program(who))) && !is_alive(at, get(facts, "token", ""))
end

function table_exists(at::Integer, name::String, facts::Dict{String,String})
    alive = is_alive(at, get(facts, "token", ""))
    publisher = publisher_of(facts, alive, tryparse(Int, get(facts, "pid", "")))
    return TableExists(name, label(publisher), publisher.alive !== false, published_at(facts))
end

function no_room(store::Store, needed::Int, free::Int)
    listed = explaining(() -> list_tables(store), store.directory)
    unused = [table.name => table.nbytes for table in listed if is_unused(table) && !table.pinned]
    return NoRoom(needed, free, store.directory.path, unused)
end

"Mark the table as never to be collected; the caller holds the directory lock."
function make_pin(directory::Integer, name::String)
    make_directory_at(directory, PINS)
    close(open_at(directory, "$PINS/$name", O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600))
    return nothing
end

"The opposite of [`make_pin`](@ref); the caller holds the directory lock."
function remove_pin(directory::Integer, name::String)
    unlink_at(directory, "$PINS/$name")
    return nothing
end

boot_id() = strip(something(read_text("/proc/sys/kernel/random/boot_id"), ""))
