module ArrowSHMTablesExt

using ArrowSHM
using Tables

include("tables.jl")

function __init__()
    connect()
end

end
