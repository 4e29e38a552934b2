# Other places than this machine's own tables. What another user shares is mapped as it is (docs/protocol.md, "Open stores"); the
# Python package fetches what is in a folder or bucket.

const OPEN_PARENT = "JUPYTER_ARROWSHM_OPEN_PARENT"
const OPEN_PLACES, PLACES = "JUPYTER_ARROWSHM_OPEN_PLACES", "JUPYTER_ARROWSHM_PLACES"
const GROUP = "group:"

@noinline function attach_from(place::String, name::String, columns, wait, @nospecialize(progress), store::Store)
    check_wait(wait)
    if is_place_address(place) || is_configured(place)
        loaded = load_files(name, Part(nothing, ""), wait, progress, store, place)
        return attach(loaded; store = loaded_store(store), columns = columns)
    end
    allows_open_places() || throw(PlaceFailed(
        place, "cannot be used: tables are not shared among users here", "Its administrator has switched that off.",
    ))
    return explaining(store.directory) do
        source = map_open(place, name)
        if source === nothing && wait !== nothing && wait > 0
            wait_for(() -> (source = map_open(place, name)) !== nothing, wait)
        end
        source === nothing && throw(TableNotFound(name, String[], nothing, "", place))
        try
            table = SharedTable(source)
            return columns === nothing ? table : chosen(table, columns)
        catch error
            error isa Damaged || rethrow()
            throw(DamagedTable(name, source.path, error.reason))
        end
    end
end

"""
A table of another place, as its list had it. `publisher` and `usage` are for people; who uses a table in a folder or bucket is not
known. `published_at` is in UTC, `nothing` if the file does not say.
"""
struct PlacedTable
    name::String
    num_rows::Int
    num_columns::Int
    nbytes::Int
    pinned::Bool
    older::Int
    published_at::Union{Nothing,DateTime}
    publisher::String
    usage::String
end

"A list of the tables of another place that prints as a table."
struct PlacedTables <: AbstractVector{PlacedTable}
    tables::Vector{PlacedTable}
end
Base.size(list::PlacedTables) = size(list.tables)
Base.getindex(list::PlacedTables, i::Int) = list.tables[i]

@noinline function tables_from(place::String, store::Store)
    is_place_address(place) || is_configured(place) || open_stores(place)  # a user, a group, or an error
    found = PlacedTable[]
    ask_python(["--from=" * place], place, store) do line
        words = String.(split(line, '\t'))
        numbers = parse.(Int, words[2:6])
        published = isempty(words[7]) ? nothing : Dates.unix2datetime(parse(Float64, words[7]))
        push!(found, PlacedTable(words[1], numbers[1:3]..., numbers[4] == 1, numbers[5], published, words[8], words[9]))
    end
    return PlacedTables(found)
end

is_place_address(place::String) = is_address(place) || place in (".", "..") || startswith(place, "~")

"The table of this name that a user shares with this one; of two, the newer."
@noinline function map_open(place::String, name::String)
    stores = open_stores(place)
    newest, changed = nothing, typemin(Int)
    for store in stores
        found = try
            explained(() -> with_directory(at -> open_regular(at, name), store.directory), store.directory)
        catch error
            # It says itself that it is not open to this user, unless there is another one.
            error isa UnsafeDirectory && length(stores) > 1 || rethrow()
            nothing
        end
        found === nothing && continue
        close(found[1])
        found[2].changed > changed && ((newest, changed) = (store, found[2].changed))
    end
    return newest === nothing ? nothing : explained(() -> map_source(newest, name), newest.directory)
end

"The directories in which a user shares with others, or in which this one does: with `everyone`, or with a group."
@noinline function open_stores(place::String)
    parent = get(() -> default_parent(), ENV, OPEN_PARENT)
    mine = effective_user()
    place == "everyone" && return [open_store("$parent/jupyter-arrowshm-$mine-open", mine)]
    if startswith(place, GROUP)
        gid = number_of(:getgrnam, place[length(GROUP)+1:end])
        gid === nothing && throw(PlaceFailed(place, "is not a group of this machine", ""))
        return [open_store("$parent/jupyter-arrowshm-$mine-g$gid", mine)]
    end
    uid = number_of(:getpwnam, place)
    uid === nothing && throw(PlaceNotFound(place))
    files = sort!(filter(file -> occursin(Regex("^jupyter-arrowshm-$uid-(?:open|g\\d+)\$"), file), readdir(parent)))
    return [open_store("$parent/$file", uid) for file in files]
end

"The store in a directory that others may read, always the same one."
function open_store(path::String, owner::Int)
    return guarded() do
        known = findfirst(store -> store.directory.path == path && store.directory.owner == owner, STORES)
        known === nothing || return STORES[known]
        return push!(STORES, Store(Directory(path; owner = owner, closed = 0o022)))[end]
    end
end

"The number of a user or group, by its name (getpwnam(3)); in a container a number may be all that there is."
@noinline function number_of(call::Symbol, name::String)
    # The number is behind two pointers, the name and the password, in both of the structures.
    found = call === :getpwnam ? ccall(:getpwnam, Ptr{UInt8}, (Cstring,), name) : ccall(:getgrnam, Ptr{UInt8}, (Cstring,), name)
    found == C_NULL || return Int(unsafe_load(Ptr{Cuint}(found + 2 * sizeof(Ptr{Cvoid}))))
    return occursin(r"^\d{1,9}$", name) ? parse(Int, name) : nothing
end

# Julia's standard library reads no JSON: a place that a file may speak of is left to Python, which reads it in full.
is_configured(place::String) = any(text -> occursin("\"$place\"", text), configured())

allows_open_places() =
    get(ENV, OPEN_PLACES, "") != "0" && !any(text -> occursin(r"\"open_places\"\s*:\s*false", text), configured())

"What the environment and the files on Jupyter's configuration path say about places."
@noinline function configured()
    texts = String[get(ENV, PLACES, "")]
    for directory in configuration_path()
        text = read_text(joinpath(directory, "arrowshm.json"))
        text === nothing || push!(texts, text)
    end
    return texts
end

"As `jupyter --paths` has it."
function configuration_path()
    path = [String(one) for one in split(get(ENV, "JUPYTER_CONFIG_PATH", ""), ':'; keepempty = false)]
    push!(path, get(() -> joinpath(homedir(), ".jupyter"), ENV, "JUPYTER_CONFIG_DIR"))
    push!(path, joinpath(homedir(), ".local", "etc", "jupyter"))
    parts = match(r"^(.*)/lib(?:64|32)?/python3\.\d+t?/(?:site|dist)-packages$", HOME_OF_PACKAGE)
    parts === nothing || push!(path, joinpath(parts[1], "etc", "jupyter"))
    return append!(path, ("/usr/local/etc/jupyter", "/etc/jupyter"))
end
