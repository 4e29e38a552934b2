# Tests of the package by itself, without Python: `julia test/runtests.jl` with the package on LOAD_PATH, or Pkg.test. Everything
# happens in a directory of its own. The promises between the two languages are tested in tests/julia of the project.

using ArrowSHM
using ArrowSHM: Decimal, Timestamp
using Dates
using Test

include("doctests.jl")

const WORDS = ["", "a", "longer than twelve bytes", "\0", "\U1F600"]

function with_store(f)
    mktempdir() do parent
        withenv("JUPYTER_ARROWSHM_DIR" => joinpath(parent, "store")) do
            f(joinpath(parent, "store"))
        end
        GC.gc()  # before the directory is removed: a table that is still attached looks the same as a leaked one
    end
end

"Share, attach, and return the column."
function round_trip(column; name = "column")
    share(name, ["x" => column]; replace = true)
    return attach(name)[1]
end

@testset "ArrowSHM" begin
    @testset "names" begin
        for good in ("trips", "a.b", "Zoë", "雪", "-rf", "a"^200)
            @test ArrowSHM.check_name(good) == good
        end
        for bad in ("", ".a", "a/b", "a b", "a\nb", "a\u200bb", "Zoe\u0308", "a"^201, "\xff")
            @test_throws ArrowSHM.InvalidName ArrowSHM.check_name(bad)
        end
        @test ArrowSHM.near_names("tripps", ["trips", "fares"]) == ["trips"]
    end

    @testset "words" begin
        @test ArrowSHM.words_size.([0, 1, 999, 1000, 42_300_000, 999_600]) ==
              ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "42.3 MB", "1.0 MB"]
        @test ArrowSHM.words_number.([0, 999, 1000, 336776, 10^9, -1234]) ==
              ["0", "999", "1,000", "336,776", "1,000,000,000", "-1,234"]
        @test ArrowSHM.words_count(1, "row") == "1 row"
        now = DateTime(2026)
        @test [ArrowSHM.words_age(now - p, now) for p in (Second(-5), Second(5), Minute(2), Hour(3), Day(1), Day(9))] ==
              ["just now", "5 s ago", "2 min ago", "3 h ago", "1 day ago", "9 days ago"]
    end

    @testset "moments" begin
        at(text) = ArrowSHM.published_at(Dict("published" => text))
        @test at("2026-01-31T12:00:00.123456+00:00") == DateTime(2026, 1, 31, 12, 0, 0, 123)
        @test at("2026-01-31T12:00:00+02:30") == DateTime(2026, 1, 31, 9, 30)
        @test at("2026-01-31T12:00:00Z") == DateTime(2026, 1, 31, 12)
        @test all(text -> at(text) === nothing, ["", "soon", "2026-13-31T12:00:00Z", "2026-01-31T12:00:00", "é"^20])
    end

    @testset "values" begin
        with_store() do _
            for column in (
                Int8[-128, 127], UInt64[0, typemax(UInt64)], Float16[1, -0.0, NaN], [true, false], BitVector([1, 0]), WORDS,
                [:a, :b], 'a':'c', [Date(-1), Date(9999, 12, 31)], [Time(0), Time(23, 59, 59, 999)], [DateTime(1969)],
                [Second(-1)], [Nanosecond(typemin(Int64))], [[1, 2], Int[]], [[["a"], String[]]], [(a = 1, b = "x")],
                [codeunits("a\xff")], [(0x01, 0x02)], [missing, missing], Int[], String[], 1:5, view([1, 2, 3], 2:3),
                Any[1, missing], [Timestamp{Microsecond,:UTC}(-1)], [Decimal{38,2}(-12345)],
            )
                expected = eltype(column) <: Union{Symbol,Char} ? string.(column) : collect(column)
                @test isequal(collect(round_trip(column)), expected)
                nullable = vcat(collect(Union{Missing,eltype(column)}, column), [missing])
                @test isequal(collect(round_trip(nullable)), vcat(expected, [missing]))
            end
        end
    end

    @testset "types" begin
        with_store() do _
            @test round_trip([1.5, 2.5]) isa Vector{Float64}
            @test round_trip([Time(1)]) isa Vector{Time}
            @test round_trip([Second(1)]) isa Vector{Second}
            @test eltype(round_trip(Union{Missing,Int}[1, 2])) == Int  # Missing only where something is missing
            @test eltype(round_trip([1, missing])) == Union{Missing,Int}
            for column in ([1, missing], ["a"], [true], [Date(1)], [[1]], [(a = 1,)])
                made = round_trip(column)
                @test Base.return_types(getindex, (typeof(made), Int)) == [eltype(made)]
                @test_throws BoundsError made[length(made)+1]
            end
            @test_throws Exception round_trip([1, 2])[1] = 3
        end
    end

    @testset "temporal and decimal values" begin
        x = Timestamp{Microsecond,nothing}(DateTime(2013, 1, 1, 5))
        @test string(x) == "2013-01-01T05:00:00.000000"
        @test DateTime(x) == convert(DateTime, x) == DateTime(2013, 1, 1, 5)
        @test x + Microsecond(1) - x == Microsecond(1) && x < x + Second(1)
        @test DateTime(x - Microsecond(1)) == DateTime(2013, 1, 1, 4, 59, 59, 999)
        @test_throws InexactError convert(DateTime, x + Microsecond(1))
        @test_throws OverflowError DateTime(Timestamp{Second,nothing}(typemax(Int64)))
        @test string(Timestamp{Second,:UTC}(0)) == "1970-01-01T00:00:00Z"
        @test string(Timestamp{Millisecond,Symbol("Europe/Zurich")}(-1)) == "1969-12-31T23:59:59.999Z[Europe/Zurich]"
        d = Decimal{9,2}(-5)
        @test string(d) == "-0.05" && Float64(d) == -0.05 && d + d == Decimal{9,2}(-10) && d == -1 // 20
        @test sum([d, d]) == Decimal{9,2}(-10) && hash(d) == hash(-1 // 20) && d < 0 && Decimal{5,-2}(3) == 300
    end

    @testset "a table" begin
        with_store() do _
            share("t", ["a" => [1, 2], "a" => [3, 4], "a b" => ["x", missing]])
            share("nul", ["a\0b" => [1]])
            @test attach("nul")["a\0b"] == [1] && names(attach("nul")) == ["a\0b"]
            t = attach("t")
            @test names(t) == ["a", "a", "a b"] && keys(t) == propertynames(t) == (:a, :a_1, Symbol("a b"))
            @test size(t) == (2, 3) && size(t, 1) == 2 && length(t) == 3
            @test t.a == t[:a] == t["a"] == t[1] == [1, 2] && t[2] == t.a_1 == [3, 4] && isequal(t["a b"], ["x", missing])
            @test NamedTuple(t).a_1 == [3, 4] && [length(c) for c in t] == [2, 2, 2] && t[end] === t[3]
            @test haskey(t, :a) && !haskey(t, "b") && (:a => t.a) in pairs(t)
            @test_throws ArgumentError t.b
            @test_throws ArgumentError t.a = [1]
            @test_throws BoundsError t[4]
            @test occursin("a_1", repr(keys(t))) && occursin("t: 2 rows x 3 columns", repr(t))
            @test occursin("missing", repr(MIME("text/plain"), t)) && occursin("<td>x</td>", repr(MIME("text/html"), t))
        end
    end

    @testset "tables" begin
        with_store() do path
            @test isempty(tables()) && repr(MIME("text/plain"), tables()) == "no shared tables" && !ispath(path)
            @test_throws ArrowSHM.TableNotFound attach("t")
            for table in ((x = [1],), Dict("x" => [1]), Dict(:x => [1]), [(x = 1,)], ["x" => [1]])
                share("t", table)
                @test attach("t").x == [1]
            end
            share("t", attach("t"); pin = true)
            @test attach("t").x == [1]
            info = ArrowSHM.info("t")
            @test (info.num_rows, info.num_columns, info.pinned, length(info.holders)) == (1, 1, true, 1)
            @test info.holders[1].pid == getpid() && info.publisher.alive === true && info.source == "SharedTable"
            ArrowSHM.unpin("t")
            @test !ArrowSHM.info("t").pinned && isempty(ArrowSHM.gc())
            @test occursin("<th>in use by</th>", repr(MIME("text/html"), tables()))
            old = attach("t")
            share("t", (x = [2],))
            @test ArrowSHM.isolder(old) && old.x == [1] && !isempty(ArrowSHM.info("t").older)
            @test attach(length, "t") == filesize(joinpath(path, "t.arrow"))
            unshare("t")
            @test isempty(tables()) && !isempty(getfield(tables(), :removed))
            @test_throws ArrowSHM.TableNotFound unshare("t")
            @test_throws ArrowSHM.TableNotFound attach("t"; wait = 0.05)
        end
    end

    @testset "examples in docstrings" begin
        with_store() do _
            count = 0
            DocTests.each((ArrowSHM, ArrowSHM.Columns)) do place, code, expected, found
                count += 1
                found == expected || @info "$place: $code" expected found
                @test found == expected
            end
            @test count > 20
        end
    end

    @testset "tasks" begin
        with_store() do _
            share("t", (x = [1], y = [2]))
            @sync for _ in 1:8
                @async for i in 1:5
                    share("t", (x = [i], y = [i + 1]))
                    t = attach("t")
                    @test t.y[1] == t.x[1] + 1
                end
            end
            @test length(tables()) == 1
        end
    end
end
