# How tables are shown: in the REPL, and as HTML in a notebook.

const HEADERS = ["table", "rows", "columns", "size", "shared", "by", "in use by", ""]
const HEADERS_OF_LOADED = ["loaded table", "rows", "columns", "size", "loaded", "from", "in use by", ""]

function Base.show(io::IO, table::TableInfo)
    used = table.countable ? "in use by $(in_use_by(table))" : in_use_by(table)
    shape = words_shape(table.num_rows, table.num_columns)
    print(io, table.name, ": ", shape, ", ", words_size(table.nbytes), ", ", used)
end

holder_names(holders) = isempty(holders) ? "unknown process" : join(map(label, holders), ", ")
users(version::OlderVersion) = "$(words_size(version.nbytes)), still in use by $(holder_names(version.holders))"

"Number and names: `2: load.py, model.ipynb (python)`; if there are many, the first three."
function users(table::TableInfo)
    is_unused(table) && return in_use_by(table)
    count = length(table.holders)
    more = count > 3 ? " and $(count - 3) more" : ""
    return "$(in_use_by(table)): $(holder_names(table.holders[1:min(3, count)]))$more"
end

"Notes for people: pinned, unused, older versions that still take memory."
remarks(table::TableInfo) = String[
    (table.pinned ? ["pinned"] : String[])
    (is_unused(table) ? ["unused"] : String[])
    ["older version, $(users(version))" for version in table.older]
]

"The headers and the rows, without the last column if it would be empty."
function list_rows(list, headers = HEADERS)
    rows = Vector{String}[
        String[
            table.name, words_number(table.num_rows), words_number(table.num_columns), words_size(table.nbytes),
            table.published_at === nothing ? "" : words_age(table.published_at),
            isempty(table.origin) ? string(table.publisher) : printable(table.origin), users(table),
            join(remarks(table), "; "),
        ] for table in list
    ]
    rows = Vector{String}[[headers]; rows]
    return any(row -> !isempty(row[end]), rows) ? rows : Vector{String}[row[1:end-1] for row in rows]
end

list_notes(list::Tables) = String["$(version.name) was unshared; $(users(version))" for version in getfield(list, :removed)]

Base.show(io::IO, ::MIME"text/plain", list::Tables) = print_list(io, list)
Base.show(io::IO, list::Tables) = print(io, "[", join(map(string, list), "; "), "]")

@noinline function print_list(io::IO, list::Tables)
    lines = isempty(list) ? ["no shared tables"] : align_columns(list_rows(list), (2, 3, 4))
    loaded = list.loaded
    isempty(loaded) || (lines = [lines; ""; align_columns(list_rows(loaded, HEADERS_OF_LOADED), (2, 3, 4))])
    print(io, join([lines; list_notes(list)], "\n"))
end

"Lines of cells in columns; those in `right` are aligned to the right."
function align_columns(rows::Vector{Vector{String}}, right)
    widths = [maximum(row -> textwidth(row[k]), rows) for k in eachindex(rows[1])]
    return String[
        rstrip(join((pad_cell(cell, widths[k], k in right) for (k, cell) in enumerate(row)), "  ")) for row in rows
    ]
end

pad_cell(cell, width, right) = right ? " "^(width - textwidth(cell)) * cell : cell * " "^(width - textwidth(cell))

escape_html(text) = replace(replace(replace(replace(text, "&" => "&amp;"), "<" => "&lt;"), ">" => "&gt;"), "\"" => "&quot;")
html_row(cells, tag) = "<tr>" * join("<$tag>$(escape_html(cell))</$tag>" for cell in cells) * "</tr>"
html_table(headers, rows) =
    "<table><thead>$(html_row(headers, "th"))</thead><tbody>$(join(html_row(row, "td") for row in rows))</tbody></table>"

@noinline function Base.show(io::IO, ::MIME"text/html", list::Tables)
    rows = list_rows(list)
    print(io, isempty(list) ? "<p>no shared tables</p>" : html_table(rows[1], rows[2:end]))
    rows = list_rows(list.loaded, HEADERS_OF_LOADED)
    isempty(list.loaded) || print(io, html_table(rows[1], rows[2:end]))
    foreach(note -> print(io, "<p>", escape_html(note), "</p>"), list_notes(list))
end

const HEADERS_OF_PLACED = ["table", "rows", "columns", "size", "shared", "by", "use"]

rows_of(list::PlacedTables) = Vector{String}[
    [HEADERS_OF_PLACED]
    [
        String[
            table.name, words_number(table.num_rows), words_number(table.num_columns), words_size(table.nbytes),
            table.published_at === nothing ? "" : words_age(table.published_at), table.publisher, table.usage,
        ] for table in list
    ]
]

Base.show(io::IO, list::PlacedTables) = print(io, "[", join((table.name for table in list), "; "), "]")
Base.show(io::IO, ::MIME"text/plain", list::PlacedTables) =
    print(io, isempty(list) ? "no shared tables" : join(align_columns(rows_of(list), (2, 3, 4)), "\n"))

@noinline function Base.show(io::IO, ::MIME"text/html", list::PlacedTables)
    rows = rows_of(list)
    print(io, isempty(list) ? "<p>no shared tables</p>" : html_table(rows[1], rows[2:end]))
end

# -- an attached table -------------------------------------------------------------------------------------------------

const SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_LETTERS = 10, 30, 32

function head_line(t::SharedTable)
    source = source_of(t)
    line = "$(source.name): $(words_shape(size(t, 1), size(t, 2))), $(words_size(length(source.bytes)))"
    return isolder(t) ? "$line (older version: attach it again for the newer one)" : line
end

Base.show(io::IO, t::SharedTable) = print(io, "SharedTable ", head_line(t))

"The first rows as texts: name and type above them, `...` where columns are left out."
@noinline function table_cells(t::SharedTable)
    shown = min(size(t, 2), SHOWN_COLUMNS)
    rows = min(size(t, 1), SHOWN_ROWS)
    labels = [first(printable(name), SHOWN_LETTERS) for name in names(t)[1:shown]]
    types = [first(printable(type_text(field)), SHOWN_LETTERS) for field in fields_of(t)[1:shown]]
    cells = Vector{String}[cell_texts(t, i, rows) for i in 1:shown]
    if shown < size(t, 2)
        push!(labels, "and $(size(t, 2) - shown) more")
        push!(types, "")
        push!(cells, fill("", rows))
    end
    return labels, types, [String[column[row] for column in cells] for row in 1:rows]
end

function cell_texts(t::SharedTable, i::Int, rows::Int)
    values = try
        column(t, i)
    catch error
        error isa ArrowSHMError || rethrow()
        return fill("(not readable)", rows)
    end
    return String[cell_text(values, row) for row in 1:rows]
end

function cell_text(@nospecialize(values), row::Int)
    value = Base.invokelatest(getindex, values, row)
    io = IOBuffer()
    value isa AbstractString ? print(io, escape_string(first(value, SHOWN_LETTERS + 1))) : print_cell(io, value)
    text = String(take!(io))
    return length(text) > SHOWN_LETTERS ? first(text, SHOWN_LETTERS - 3) * "..." : text
end

"""
Like `repr`, but only until there is more than is shown. `repr` of a list makes a text of all its values after its type,
which for lists of lists of lists is far longer.
"""
@noinline function print_cell(io::IOBuffer, @nospecialize(value))
    position(io) > 4 * SHOWN_LETTERS && return  # no letter has more than four bytes
    if value isa AbstractString
        show(io, first(value, SHOWN_LETTERS + 1))
    elseif value isa Pair
        print_cell(io, value.first)
        print(io, " => ")
        print_cell(io, value.second)
    elseif value isa NamedTuple
        print(io, "(")
        for k in 1:min(nfields(value), SHOWN_LETTERS)
            print(io, k > 1 ? ", " : "", printable(String(fieldname(typeof(value), k))), " = ")
            print_cell(io, getfield(value, k))
        end
        print(io, nfields(value) == 1 ? ",)" : ")")
    elseif value isa AbstractArray && !(eltype(value) <: UInt8 && value isa AbstractVector)
        value isa AbstractVector || print(io, join(size(value), "×"), " ")
        print(io, "[")
        for k in 1:min(length(value), SHOWN_LETTERS)
            k > 1 && print(io, ", ")
            print_cell(io, Base.invokelatest(getindex, value, k))
        end
        print(io, "]")
    else
        value isa AbstractVector && (value = value[1:min(end, SHOWN_LETTERS)])
        print(io, printable(Base.invokelatest(repr, value; context = :compact => true)))
    end
    return
end

@noinline function Base.show(io::IO, ::MIME"text/plain", t::SharedTable)
    print(io, head_line(t))
    size(t, 2) == 0 && return
    labels, types, rows = table_cells(t)
    lines = align_columns([[labels, types]; rows], ())
    width = get(io, :limit, false) ? displaysize(io)[2] : typemax(Int)
    for line in lines
        print(io, "\n", length(line) > width ? first(line, width - 3) * "..." : line)
    end
    size(t, 1) > length(rows) && print(io, "\nand $(words_count(size(t, 1) - length(rows), "more row"))")
end

@noinline function Base.show(io::IO, ::MIME"text/html", t::SharedTable)
    print(io, "<p>", escape_html(head_line(t)), "</p>")
    size(t, 2) == 0 && return
    labels, types, rows = table_cells(t)
    print(io, "<table><thead>", html_row(labels, "th"), html_row(types, "th"), "</thead><tbody>")
    foreach(row -> print(io, html_row(row, "td")), rows)
    print(io, "</tbody></table>")
    size(t, 1) > length(rows) && print(io, "<p>and $(words_count(size(t, 1) - length(rows), "more row"))</p>")
end
