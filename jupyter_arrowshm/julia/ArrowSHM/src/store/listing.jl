# The contents of a store now: the tables, who uses them, and the older versions that still take memory.

"A version that has lost its name, and that somebody still has attached."
struct OlderVersion
    name::String
    nbytes::Int
    holders::Vector{Holder}
end

"""
A shared table as it was at one moment. `published_at` is in UTC, `nothing` if the file does not say. `holders` are the
live processes that keep the table: the publisher and everybody who has it attached; where the system does not show who
holds a lock, `countable` is false and they say only whether the table is in use. `older` are versions of it that are
still attached somewhere, and so still take memory. `origin` is the path or URI that a loaded table was loaded from.
"""
struct TableInfo
    name::String
    num_rows::Int
    num_columns::Int
    nbytes::Int
    published_at::Union{Nothing,DateTime}
    publisher::Publisher
    holders::Vector{Holder}
    pinned::Bool
    path::String
    fields::Vector{Field}
    source::String
    countable::Bool
    version::Version
    older::Vector{OlderVersion}
    origin::String
end

with_older(t::TableInfo, older) = TableInfo(
    t.name, t.num_rows, t.num_columns, t.nbytes, t.published_at, t.publisher, t.holders, t.pinned, t.path, t.fields,
    t.source, t.countable, t.version, older, t.origin,
)

is_unused(table::TableInfo) = isempty(table.holders)
in_use_by(table::TableInfo) =
    table.countable ? string(length(table.holders)) : is_unused(table) ? "unused" : "in use"

"""
A list of tables that prints as a table. `removed` are versions that lost their name, and that somebody has attached; `loaded`
are the tables that were loaded from files, and that can be had again.
"""
struct Tables <: AbstractVector{TableInfo}
    tables::Vector{TableInfo}
    removed::Vector{OlderVersion}
    loaded::Vector{TableInfo}
end
Tables(tables, removed) = Tables(tables, removed, TableInfo[])
Base.size(tables::Tables) = size(getfield(tables, :tables))
Base.getindex(tables::Tables, i::Int) = getfield(tables, :tables)[i]

"The part of a file that a listing shows, read without touching its rows."
struct Summary
    facts::Dict{String,String}
    fields::Vector{Field}
    rows::Int
end

"A directory, and the footers that were read in it: its files never change."
struct Store
    directory::Directory
    summaries::Vector{Tuple{Version,Union{Nothing,Summary}}}
end
Store(path::AbstractString) = Store(Directory(path))
Store(directory::Directory) = Store(directory, Tuple{Version,Union{Nothing,Summary}}[])
Base.show(io::IO, store::Store) = print(io, "ArrowSHM.Store(", repr(store.directory.path), ")")

table_path(store::Store, name::String) = store.directory.path * "/" * name * SUFFIX

"The footer of an open file; `nothing` if it is not a table that could be attached."
@noinline function summarise(store::Store, fd::Integer, found)
    version = version_of(found)
    known = guarded() do
        i = findfirst(entry -> entry[1] == version, store.summaries)
        i === nothing ? nothing : store.summaries[i]
    end
    known === nothing || return known[2]
    summary = try
        footer = read_footer(fd, found.size)
        Summary(footer.facts, footer.fields, count_rows(fd, footer))
    catch error
        error_number(error) === nothing || return nothing  # asked again: the file is what it was when its disk answers
        error isa Damaged || rethrow()
        nothing
    end
    guarded(() -> push!(store.summaries, (version, summary)))
    return summary
end

"Version and footer of the file that has this name, or `nothing`."
@noinline function summary_of(store::Store, directory::Integer, name::String)
    opened = open_regular(directory, name)
    opened === nothing && return nothing
    file, found = opened
    return closing(fd -> (version_of(found), summarise(store, fd, found)), file)
end

"The names that tables may have here; the files behind them are not looked at."
@noinline function table_names(store::Store)
    found = String[]
    for file in something(with_directory(list_directory, store.directory), String[])
        name = name_of_file(file)
        name === nothing || push!(found, name)
    end
    return sort!(found)
end

"Looks up each process once."
struct Labels
    known::Dict{Int,Holder}
end
Labels() = Labels(Dict{Int,Holder}())
(labels::Labels)(pid::Integer) = get!(() -> look_up(pid), labels.known, pid)

"""
The files that have these names now. A disk gives the inode of a file that went to the next one: a table that came after the
look at the locks may have the inode of a file, here or elsewhere, that was still locked then.
"""
@noinline function versions(at::Integer, names)
    found = Set{Version}()
    for name in names
        entry = open_regular(at, name)
        entry === nothing && continue
        file, facts = entry
        closing(fd -> push!(found, version_of(facts)), file)
    end
    return found
end

"Every table, by name, as one look at the locks shows it; or only the table of this name, which takes far less time."
@noinline list_tables(store::Store, only::Union{Nothing,String} = nothing) =
    something(with_directory(at -> list_tables(store, at, only), store.directory), Tables(TableInfo[], OlderVersion[]))

function list_tables(store::Store, at::Integer, only)
    named = table_names(store)
    earlier = versions(at, only === nothing ? named : [only])
    locks, labels = Locks(store.directory, at), Labels()
    found, current, seen = TableInfo[], Set{UInt64}(), Set{Version}()
    for name in named
        entry = open_regular(at, name)
        entry === nothing && continue
        file, facts = entry
        closing(file) do fd
            push!(current, facts.inode)
            push!(seen, version_of(facts))
            only in (nothing, name) || return
            shown = version_of(facts) in earlier ? locks : again(locks)
            table = describe(store, at, name, fd, facts, shown, labels)
            table === nothing || push!(found, table)
        end
    end
    guarded(() -> filter!(entry -> entry[1] in seen, store.summaries))
    older = older_versions(realpath(store.directory.path), locks, current, labels)
    names = Set(table.name for table in found)
    return Tables(
        [with_older(table, filter(version -> version.name == table.name, older)) for table in found],
        filter(version -> !(version.name in names), older),
    )
end

@noinline function describe(store::Store, directory::Integer, name, fd, found, locks::Locks, labels::Labels)
    summary = summarise(store, fd, found)
    summary === nothing && return nothing
    pids, hidden = lessees(locks, found.inode), false
    locks.certain || (pids = sorted_out(pids, found.inode, fd))
    if isempty(pids) && is_leased(fd)
        # Attached since we looked, or by a process that we cannot see.
        pids = lessees(again(locks), found.inode)
        locks.certain || (pids = sorted_out(pids, found.inode, fd))
        hidden = isempty(pids)
    end
    users = Holder[labels(pid) for pid in pids]
    publisher, owner = publisher_now(directory, summary.facts, locks, labels)
    owner === nothing || any(user -> user.pid === owner.pid, users) || push!(users, owner)
    hidden && push!(users, Holder())
    return describe(store, name, found, summary, publisher, users, is_pinned(directory, name), locks.visible)
end

function describe(store::Store, name, found, summary::Summary, publisher, users, pinned, countable = true)
    return TableInfo(
        name, summary.rows, length(summary.fields), found.size, published_at(summary.facts), publisher, users, pinned,
        table_path(store, name), summary.fields, get(summary.facts, "source", ""), countable, version_of(found),
        OlderVersion[], get(summary.facts, "origin", ""),
    )
end

is_pinned(directory::Integer, name::String) = exists_at(directory, "$PINS/$name")

"The publisher, and the same process as a holder while its token is locked."
function publisher_now(directory::Integer, facts, locks::Locks, labels::Labels)
    token = get(facts, "token", "")
    alive, owned, pid = is_alive(directory, token), nothing, tryparse(Int, get(facts, "pid", ""))
    if alive
        # The footer's pid is the publisher's own view: in another PID namespace it is some other process.
        inode = token_inode(directory, token)
        told, pid = pid, owner(locks, inode, pid)
        pid === nothing && (pid = owner(again(locks), inode, told))
        owned = pid === nothing ? Holder() : labels(pid)
    end
    return publisher_of(facts, alive, pid), owned
end

function publisher_of(facts, alive, pid)
    is_ours(facts) || return Publisher(Holder(nothing, "another program"), nothing)
    fact(key) = get(facts, key, "")
    return Publisher(Holder(pid, fact("language"), fact("kernel"), fact("notebook"), fact("script")), alive)
end

const DELETED = " (deleted)"

@noinline function older_versions(path::String, locks::Locks, current::Set{UInt64}, labels::Labels)
    found = OlderVersion[]
    for inode in sort!(collect(setdiff(leased(locks), current)))
        users, name, size = Holder[], "", 0
        for pid in lessees(locks, inode)
            file, nbytes = mapped_by(pid, locks.device, inode)
            # Another directory on this file system may have tables, too: ours are those that lost a name here.
            if endswith(file, DELETED) && dirname(file) == path
                push!(users, labels(pid))
                name = something(name_of_file(basename(chop(file; tail = length(DELETED)))), "")
                size = max(size, nbytes)
            end
        end
        isempty(users) || push!(found, OlderVersion(name, size, users))
    end
    return found
end
