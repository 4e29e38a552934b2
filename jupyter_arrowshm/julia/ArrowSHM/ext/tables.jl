# The Tables.jl interface ("Implementing the Interface" in its manual): a SharedTable is a table of columns, and any table
# of columns can be shared. `ArrowSHM` and `Tables` are in scope; the extension includes this file, or src/tabular/glue.jl does.

Tables.istable(::Type{ArrowSHM.SharedTable}) = true
Tables.columnaccess(::Type{ArrowSHM.SharedTable}) = true
Tables.columns(t::ArrowSHM.SharedTable) = t
Tables.columnnames(t::ArrowSHM.SharedTable) = keys(t)
Tables.getcolumn(t::ArrowSHM.SharedTable, i::Int) = t[i]
Tables.getcolumn(t::ArrowSHM.SharedTable, name::Symbol) = t[name]
Tables.schema(t::ArrowSHM.SharedTable) = Tables.Schema(keys(t), map(eltype, values(t)))

# Query.jl and others of Queryverse look for rows of `DataValue`s by these two packages, on which every release of Tables.jl
# depends. Without this they would iterate over the columns. By `columntable` the rows have a concrete type.
Tables.IteratorInterfaceExtensions.getiterator(t::ArrowSHM.SharedTable) = Tables.datavaluerows(Tables.columntable(t))
Tables.TableTraits.isiterabletable(::ArrowSHM.SharedTable) = true

function to_columns(table)
    found = columns_of(table)
    found === nothing && return nothing
    names = Tables.columnnames(found)
    columns = Pair{String,Any}[String(name) => Tables.getcolumn(found, name) for name in names]
    kind = string(nameof(typeof(table)))
    return kind, columns, isempty(columns) ? 0 : length(columns[1].second)
end

"Its columns, or `nothing`. Of some iterators (a generator, a query) only the first row tells whether they are a table."
function columns_of(table)
    Tables.istable(table) && return Tables.columns(table)
    Tables.TableTraits.isiterabletable(table) === missing || return nothing
    found = try
        Tables.columns(table)
    catch error
        error isa ArgumentError || rethrow()
        return nothing
    end
    return isempty(Tables.columnnames(found)) ? nothing : found
end

# Once, by identity: an extension's __init__ runs in each process, and so does the glue's include.
connect() = to_columns in ArrowSHM.TABULAR || push!(ArrowSHM.TABULAR, to_columns)
