# Share, attach, list and remove tables.

const STORES = Store[]

"The store that all notebooks of this user share, as the environment says now."
@noinline function default_store()
    Sys.iswindows() && throw(UnsupportedPlatform("Windows"))
    return store_at(default_path())
end

"The store in this directory: always the same one, with the footers that were read in it."
function store_at(path::String)
    return guarded() do
        known = findfirst(store -> store.directory.path == path, STORES)
        known === nothing ? push!(STORES, Store(path))[end] : STORES[known]
    end
end

"""
    share(name, table; replace=false, pin=false, to=nothing)

Copy a table into shared memory under a name, once; every [`attach`](@ref), in Julia or Python, then uses that copy.

`table` is a NamedTuple or Dict of vectors, a vector of NamedTuples or of `"label" => vector` pairs, a
[`SharedTable`](@ref), or any table of the Tables.jl interface once that package is loaded. A process may replace its own
table; once it has ended, the same kernel, notebook or script (with the same arguments) may; with `replace` anybody may.
Those who have the older version attached keep it. With `pin` the table is never removed automatically.

`to` is another place: `"everyone"` or `"group:students"` (users of this machine, who may then attach it), a folder or bucket, or a
configured name for one. The Python package puts it into a folder or bucket, and the result is an `ArrowSHM.PlacedTable`.
`progress(written, total)` is called with bytes meanwhile; `total` is 0 where it is not known.

```jldoctest
julia> info = share("trips", (fare = [7.5, 12.0], tip = [1.0, missing]));

julia> info.name, info.num_rows, info.num_columns, length(info.holders)
("trips", 2, 2, 1)

julia> share("a b", (x = [1],))
ERROR: "a b" cannot be a table's name: it holds white space; use '_' instead.

julia> share("odd", (x = [1, nothing],))
ERROR: column "x" of this NamedTuple cannot be shared: it holds `nothing`. Say what is not there with `missing`: replace(column, nothing => missing).
```

Throws [`ArrowSHM.InvalidName`](@ref), [`ArrowSHM.TableExists`](@ref), [`ArrowSHM.UnsupportedSource`](@ref),
[`ArrowSHM.NoRoom`](@ref) (nothing of the table stays behind), [`ArrowSHM.UnsafeDirectory`](@ref) or
[`ArrowSHM.Busy`](@ref); with `to`, [`ArrowSHM.PlaceNotFound`](@ref), [`ArrowSHM.PlaceFailed`](@ref) or [`ArrowSHM.NoPython`](@ref) too.
"""
@noinline function share(
    name::AbstractString, @nospecialize(table); replace::Bool = false, pin::Bool = false,
    to::Union{Nothing,AbstractString} = nothing, progress = nothing, store::Store = default_store(),
)
    name = check_name(name)
    pin && to !== nothing && throw(ArgumentError("pin is for tables of this machine: nothing is removed from a place automatically"))
    kind, columns, rows, origins = to_columns(table)
    metadata = table isa SharedTable ? source_of(table).footer.metadata : Pair{String,String}[]
    encoded = encode_table(kind, columns, rows, origins)
    to === nothing || return share_to(String(to), name, encoded, metadata, replace, progress, store)
    return publish_table(store, name, encoded, metadata, replace, pin)
end

"""
    attach(name; columns=nothing, wait=nothing, from=nothing, where=nothing)

The table of this name as a [`SharedTable`](@ref): its columns lie in the shared memory. The data stays valid for as
long as anything refers to it, even if the name, the process that shared it, or the directory is gone. With `columns`, a vector of
names, it has only these, in this order. `wait` is the number of seconds to wait until somebody shares a table of this name. `from` is
a place: a user of this machine who shares with you, a folder or bucket (`"s3://bucket/tables"`, `"/srv/course"`), or a configured name
for one. From a Ray cluster (`"ray://"`), `columns` and `where` are applied where the rows are, and only the result is fetched.

    attach(load, name; wait=nothing)

The same; but if no table has this name, `load()`, a function without arguments, makes it, and it is shared. Of all
processes that ask at the same time, in Julia or Python, one loads; the others wait for its table, `wait` seconds at most.

    attach("./trips.parquet"; columns=nothing, where=nothing, wait=nothing)

The rows of a file, or of a directory of files, as Python's `attach` takes it: Parquet, Arrow, CSV, JSON or ORC, here or in a
bucket (`s3://...`). It has a `/` in it. It is loaded once on this machine, for all who attach it, and again when it has
changed. `columns=["city", "fare"]` and `where="fare > 10 and city in ['Bergen', 'Oslo']"` load only that part, as a table of its
own. The Python package reads it, which need not run; see [`ArrowSHM.NoPython`](@ref). `progress(written, total)` is called with
bytes while it is loaded; `total` is 0 where it is not known.

    attach(f, name; wait=nothing)

`f(bytes)`, where `bytes::Vector{UInt8}` is the table's whole Arrow file in shared memory: `attach(Arrow.Table, "trips")`.

```jldoctest
julia> share("fares", (fare = [7.5, 12.0], tip = [1.0, missing]));

julia> fares = attach("fares");

julia> sum(fares.fare), sum(skipmissing(fares.tip))
(19.5, 1.0)

julia> String(attach(bytes -> bytes[1:6], "fares"))
"ARROW1"

julia> totals = attach("totals") do
           (total = [sum(fares.fare)],)  # once, whoever asks
       end;

julia> only(totals.total)
19.5

julia> attach("fairs")
ERROR: there is no shared table "fairs". Did you mean "fares"?
```

Throws [`ArrowSHM.TableNotFound`](@ref), [`ArrowSHM.DamagedTable`](@ref), [`ArrowSHM.NewerProtocol`](@ref), or
[`ArrowSHM.Busy`](@ref) if somebody kept the file locked; with `from`, [`ArrowSHM.PlaceNotFound`](@ref),
[`ArrowSHM.PlaceFailed`](@ref), or [`ArrowSHM.UnsafeDirectory`](@ref) too. See docs/protocol.md, "Attaching"; mmap(2), NOTES.
"""
@noinline function attach(
    name::AbstractString;
    columns = nothing, where::Union{Nothing,AbstractString} = nothing, wait::Union{Nothing,Real} = nothing, progress = nothing,
    from::Union{Nothing,AbstractString} = nothing, store::Store = default_store(),
)
    columns === nothing || (columns = String[columns isa Union{AbstractString,Symbol} ? [columns] : columns;])
    from === nothing || return attach_from(String(from), check_name(name), Part(columns, strip(something(where, ""))), wait, progress, store)
    is_address(name) && return attach_files(String(name), columns, something(where, ""), wait, progress, store)
    where === nothing || throw(ArgumentError(NO_FILTER))
    name = check_name(name)
    return explaining(store.directory) do
        source = open_source(store, name, wait)
        try
            table = SharedTable(source)
            return columns === nothing ? table : chosen(table, columns)
        catch error
            error isa Damaged || rethrow()
            throw(DamagedTable(name, source.path, error.reason))
        end
    end
end

@noinline function attach(f, name::AbstractString; wait::Union{Nothing,Real} = nothing, store::Store = default_store())
    name = check_name(name)
    # A type can be called without arguments, too: `attach(Arrow.Table, "trips")` means its bytes.
    f isa Function && Base.invokelatest(applicable, f) && return attach_or_load(f, name, wait, store)
    return Base.invokelatest(f, explaining(() -> open_source(store, name, wait), store.directory).bytes)
end

"""
    tables(; from=nothing)

The tables that are shared now, and who uses them, by name: a vector of `ArrowSHM.TableInfo` that prints as a table. Its field
`loaded` has those that were loaded from files. `from` is a place, as in [`attach`](@ref): the Python package then lists the tables
there, and the vector is one of `ArrowSHM.PlacedTable`.

```jldoctest
julia> share("listed", (x = [1, 2],));

julia> only(table.num_rows for table in tables() if table.name == "listed")
2
```
"""
@noinline function tables(; from::Union{Nothing,AbstractString} = nothing, store::Store = default_store())
    from === nothing || return tables_from(String(from), store)
    return explaining(store.directory) do
        shared, loaded = list_tidily(store), list_tidily(loaded_store(store))
        return Tables(shared.tables, [shared.removed; loaded.removed], loaded.tables)
    end
end

function list_tidily(store::Store)
    try
        with_directory(at -> is_littered(at) && tidy(store.directory), store.directory)
    catch error
        # The listing does not depend on it: a store that cannot be tidied (read-only, locked) can still be listed.
        error isa Busy || error_number(error) !== nothing || rethrow()
    end
    return list_tables(store)
end

"""
    ArrowSHM.info(name)

One row of [`tables`](@ref), or of `tables().loaded`. Throws [`ArrowSHM.TableNotFound`](@ref).
"""
@noinline function info(name::AbstractString; store::Store = default_store())
    name = check_name(name)
    return explaining(store.directory) do
        for each in (store, loaded_store(store))
            found = list_tables(each, name)
            isempty(found) || return found[1]
        end
        throw(not_found(store, name))
    end
end

"""
    unshare(name; from=nothing)

Remove the name. Those who have the table attached keep it; the memory is free when the last of them lets go. Any process of
this user may do it. `from` is another place, as `to` of [`share`](@ref). Throws [`ArrowSHM.TableNotFound`](@ref); with `from`,
[`ArrowSHM.PlaceNotFound`](@ref), [`ArrowSHM.PlaceFailed`](@ref) or [`ArrowSHM.NoPython`](@ref) too.

```jldoctest
julia> share("short", (x = [1, 2],)); kept = attach("short");

julia> unshare("short")

julia> kept.x == [1, 2], ArrowSHM.isolder(kept)
(true, true)

julia> unshare("short")
ERROR: there is no shared table "short". tables() lists what is shared.
```
"""
@noinline function unshare(name::AbstractString; from::Union{Nothing,AbstractString} = nothing, store::Store = default_store())
    from === nothing || return unshare_from(String(from), check_name(name), store)
    file = changing(remove_name, store, name)
    file === nothing || close(file)
    return nothing
end

"Remove the name; return the file that had it, to be closed outside the lock."
function remove_name(at::Integer, name::String)
    file = open_any(at, name * SUFFIX)
    # The pin goes first: if we are killed in between, a table is left without a pin, not a pin for the next of this name.
    remove_pin(at, name)
    unlink_at(at, name * SUFFIX)
    forget_note(at, name)
    return file
end

"""
    ArrowSHM.pin(name)

Never remove this table automatically. Throws [`ArrowSHM.TableNotFound`](@ref).

```jldoctest
julia> share("kept", (x = [1],)); ArrowSHM.pin("kept"); ArrowSHM.info("kept").pinned
true

julia> ArrowSHM.unpin("kept"); ArrowSHM.info("kept").pinned
false
```
"""
@noinline pin(name::AbstractString; store::Store = default_store()) = changing(make_pin, store, name)

"""
    ArrowSHM.unpin(name)

The opposite of [`ArrowSHM.pin`](@ref). Throws [`ArrowSHM.TableNotFound`](@ref).
"""
@noinline unpin(name::AbstractString; store::Store = default_store()) = changing(remove_pin, store, name)

"Call `f(at, name)` under the directory lock, when there is a table of this name; else under that of the loaded tables."
@noinline function changing(@nospecialize(f), store::Store, name::AbstractString)
    name = check_name(name)
    return explaining(store.directory) do
        open_directory(store.directory) === nothing && throw(TableNotFound(name))
        for each in (store, loaded_store(store))
            open_directory(each.directory) === nothing && continue
            found, done = with_lock(each.directory) do at
                opened = open_regular(at, name)
                opened === nothing && return false, nothing
                close(opened[1])
                return true, f(at, name)
            end
            found && return done
        end
        throw(not_found(store, name))
    end
end

"""
    ArrowSHM.gc()

Let go of what this process has dropped, then remove every table that nobody uses and that is not pinned, also of those that
were loaded from files. Returns the names and bytes of the removed tables.
"""
@noinline function gc(; store::Store = default_store())
    let_go()
    return explaining(() -> merge(collect_all(store), collect_all(loaded_store(store))), store.directory)
end

"""
    ArrowSHM.isolder(t::SharedTable)

Whether the name now leads to another table, or to none: attach again to get the newer one.
"""
@noinline function isolder(t::SharedTable)
    source = source_of(t)
    found = explaining(() -> facts_at(source.path), Directory(dirname(source.path)))
    return found === nothing || (found.device, found.inode) != source.version[1:2]
end
