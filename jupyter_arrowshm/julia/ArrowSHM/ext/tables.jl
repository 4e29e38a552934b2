# The Tables.jl interface ("Implementing the Interface" in its manual): a SharedTable is a table of columns, and any table
# of columns can be shared. `ArrowSHM` and `Tables` are in scope; the extension includes this file, or src/tabular/glue.jl does.

Tables.istable(::Type{ArrowSHM.SharedTable}) = true
Tables.columnaccess(::Type{ArrowSHM.SharedTable}) = true
Tables.columns(t::ArrowSHM.SharedTable) = t
Tables.columnnames(t::ArrowSHM.SharedTable) = keys(t)
Tables.getcolumn(t::ArrowSHM.SharedTable, i::Int) = t[i]
Tables.getcolumn(t::ArrowSHM.SharedTable, name::Symbol) = t[name]
Tables.schema(t::ArrowSHM.SharedTable) = Tables.Schema(keys(t), map(eltype, values(t)))

function to_columns(table)
    Tables.istable(table) || return nothing
    found = Tables.columns(table)
    names = Tables.columnnames(found)
    columns = Pair{String,Any}[String(name) => Tables.getcolumn(found, name) for name in names]
    kind = string(nameof(typeof(table)))
    return kind, columns, isempty(columns) ? 0 : length(columns[1].second)
end

# Once, by identity: an extension's __init__ runs in each process, and so does the glue's include.
connect() = to_columns in ArrowSHM.TABULAR || push!(ArrowSHM.TABULAR, to_columns)
