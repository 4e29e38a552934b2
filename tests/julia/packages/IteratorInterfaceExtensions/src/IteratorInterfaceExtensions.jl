"A stand-in for IteratorInterfaceExtensions.jl: what can be iterated over, and by which iterator."
module IteratorInterfaceExtensions

export getiterator, isiterable

isiterable(x::T) where {T} = Base.isiterable(T)
getiterator(x) = isiterable(x) ? x : error("it cannot be iterated over")

end
