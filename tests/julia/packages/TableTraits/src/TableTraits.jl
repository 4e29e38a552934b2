"A stand-in for TableTraits.jl: whether an iterator gives a table's rows; `missing` if only its rows can tell."
module TableTraits

using IteratorInterfaceExtensions

export isiterabletable

function isiterabletable(x::T) where {T}
    isiterable(x) || return false
    Base.IteratorEltype(x) == Base.HasEltype() || return missing
    E = eltype(x)
    return E === Union{} ? false : E <: NamedTuple ? true : E === Any ? missing : false
end

end
