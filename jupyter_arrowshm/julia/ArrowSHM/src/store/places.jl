# Other places than this machine's own tables. What another user shares is mapped as it is (docs/protocol.md, "Open stores"); the
# Python package fetches what is in a folder or bucket.

const OPEN_PARENT = "JUPYTER_ARROWSHM_OPEN_PARENT"
const OPEN_PLACES, PLACES = "JUPYTER_ARROWSHM_OPEN_PLACES", "JUPYTER_ARROWSHM_PLACES"
const GROUP = "group:"
const NO_FILTER = "where= is for files and clusters: filter a shared table once it is attached"

@noinline function attach_from(place::String, name::String, part::Part, wait, @nospecialize(progress), store::Store)
    check_wait(wait)
    columns = part.columns
    if is_for_python(place)
        loaded = load_files(name, part, wait, progress, store, place)
        return attach(loaded; store = loaded_store(store), columns = columns)
    end
    isempty(part.filter) || throw(ArgumentError(NO_FILTER))
    check_open_places(place)
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
Share in another place. What others may read is written as this user's own tables are; Python sends what is for a folder or bucket,
from a file that has no name.
"""
@noinline function share_to(place::String, name::String, encoded::Encoded, metadata, replace::Bool, @nospecialize(progress), store::Store)
    is_for_python(place) || return publish_table(own_store(place), name, encoded, metadata, replace, false)
    options = ["--to=" * place]
    replace && push!(options, "--replace")
    progress === nothing || push!(options, "--progress")
    return with_written(store, name, encoded, metadata) do file
        placed = nothing
        ask_python([options; "--"; name], place, store; file = file, failed = place_failed) do line
            is_progress(line, progress) || (placed = placed_table(line))
        end
        placed::PlacedTable
    end
end

@noinline function unshare_from(place::String, name::String, store::Store)
    is_for_python(place) &&
        return ask_python(_ -> nothing, ["--from=" * place, "--remove", "--", name], place, store; failed = place_failed)
    try
        return unshare(name; store = own_store(place))
    catch error
        error isa TableNotFound || rethrow()
        throw(TableNotFound(name, error.near, error.removed_at, error.reason, place))
    end
end

place_failed(place, reason) =
    reason === nothing ? PlaceFailed(place, "may not have done it: the Python that asks it was killed", "Try again.") :
    PlaceFailed(place, "cannot be used ($(rstrip(reason, '.')))", "")

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
    is_for_python(place) || open_stores(place)  # a user, a group, or an error
    found = PlacedTable[]
    ask_python(line -> push!(found, placed_table(line)), ["--from=" * place], place, store)
    return PlacedTables(found)
end

function placed_table(line::String)
    words = String.(split(line, '\t'))
    numbers = parse.(Int, words[2:6])
    published = isempty(words[7]) ? nothing : Dates.unix2datetime(parse(Float64, words[7]))
    return PlacedTable(words[1], numbers[1:3]..., numbers[4] == 1, numbers[5], published, words[8], words[9])
end

is_for_python(place::String) = is_place_address(place) || is_configured(place)
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

"The stores in which a user shares with others, or in which this one does: with `everyone`, or with a group."
@noinline function open_stores(place::String)
    uid = is_of_readers(place) ? effective_user() : number_of(:getpwnam, place)
    uid === nothing && throw(PlaceNotFound(place))
    uid == effective_user() && return [own_store(place)]
    files = sort!(filter(file -> occursin(Regex("^jupyter-arrowshm-$uid-(?:open|g\\d+)\$"), file), readdir(open_parent())))
    return [open_store(file, uid, 0o755) for file in files]
end

is_of_readers(place::String) = place == "everyone" || startswith(place, GROUP)
open_parent() = get(() -> default_parent(), ENV, OPEN_PARENT)

"The store of this user that everyone may read, or the members of a group."
@noinline function own_store(place::String)
    check_open_places(place)
    mine = effective_user()
    if startswith(place, GROUP)
        groups, gid = my_groups(), number_of(:getgrnam, place[length(GROUP)+1:end])
        gid in groups ||
            throw(PlaceFailed(place, "is not a group that you are in", "You are in $(join(sort!(map(group_name, groups)), ", "))."))
        return open_store("jupyter-arrowshm-$mine-g$gid", mine, 0o750, gid)
    elseif place != "everyone"
        uid = number_of(:getpwnam, place)
        uid === nothing && throw(PlaceNotFound(place))
        uid == mine || throw(PlaceFailed(
            place, "holds the tables of $place, which nobody else can change", "Share to everyone, or to a group.",
        ))
    end
    return open_store("jupyter-arrowshm-$mine-open", mine, 0o755)
end

"The store in a directory that others may read, always the same one."
function open_store(file::String, owner::Int, mode::Integer, group::Int = -1)
    path = "$(open_parent())/$file"
    return guarded() do
        known = findfirst(store -> store.directory.path == path && store.directory.owner == owner, STORES)
        known === nothing || return STORES[known]
        return push!(STORES, Store(Directory(path; owner = owner, mode = mode, group = group)))[end]
    end
end

"The numbers of the groups that this process is in (getgroups(2))."
function my_groups()
    found = zeros(Cuint, ccall(:getgroups, Cint, (Cint, Ptr{Cuint}), 0, C_NULL))
    ccall(:getgroups, Cint, (Cint, Ptr{Cuint}), length(found), found)
    return unique!(Int[ccall(:getegid, Cuint, ()); found])
end

function group_name(gid::Int)
    found = ccall(:getgrgid, Ptr{Ptr{UInt8}}, (Cuint,), gid)
    return found == C_NULL ? string(gid) : unsafe_string(unsafe_load(found))
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

check_open_places(place::String) = allows_open_places() || throw(PlaceFailed(
    place, "cannot be used: tables are not shared among users here", "Its administrator has switched that off.",
))

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
