# Attaching 1 GiB in R, and computing with it, against reading it otherwise. Ratios in one run; medians of five.
#
#     R_LIBS=.r/library Rscript benchmarks/r.R [GiB]

library(arrowshm)

size <- as.numeric(c(commandArgs(TRUE), "1")[1])
rows <- as.integer(size * 2^30 / 8 / 4)
folder <- tempfile("arrowshm-bench-", if (dir.exists("/dev/shm")) "/dev/shm" else tempdir())
dir.create(folder, mode = "0700")
Sys.setenv(JUPYTER_ARROWSHM_DIR = file.path(folder, "store"))

seconds <- function(code, times = 5) {
  code <- substitute(code)
  where <- parent.frame()
  stats::median(vapply(seq_len(times), function(i) {
    gc(FALSE)
    system.time(eval(code, where), gcFirst = FALSE)[["elapsed"]]
  }, 0))
}

# Memory of the process's own, in MB: what is not shared with anybody (proc_pid_smaps(5)).
own <- function() {
  line <- grep("^Anonymous:", readLines("/proc/self/smaps_rollup"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1000
}

show <- function(what, value, unit) cat(sprintf("%-58s %9.4g %s\n", what, value, unit))

table <- data.frame(a = runif(rows), b = runif(rows), c = runif(rows), d = runif(rows))
bytes <- rows * 32 / 2^30
cat(sprintf("%d rows x 4 doubles, %.2f GiB\n", rows, bytes))
show("share_table", seconds(share_table(table, "t"), 3), "s")
rds <- file.path(folder, "t.rds")
saveRDS(table, rds, compress = FALSE)
rm(table)
invisible(gc())

before <- own()
attached <- attach_table("t")
total <- sum(attached$a)
show("own memory after attach_table and a sum", own() - before, "MB")
show("attach_table", 1000 * seconds(for (i in 1:200) attach_table("t")) / 200, "ms")
show("readRDS, uncompressed", seconds(readRDS(rds), 3), "s")
unlink(rds)

# nanoarrow reads streams: a file is one after its first 8 bytes.
stream <- function() {
  connection <- file(table_info("t")$path, "rb")
  on.exit(close(connection))
  readBin(connection, "raw", 8)
  as.data.frame(nanoarrow::read_nanoarrow(connection, lazy = TRUE))
}
read <- tryCatch(seconds(stream(), 1), error = function(e) NA)
show("nanoarrow, read into a data.frame", read, "s")

if (requireNamespace("data.table", quietly = TRUE)) {
  some <- attached[seq_len(rows %/% 32), ]
  csv <- file.path(folder, "t.csv")
  data.table::fwrite(some, csv)
  show("data.table::fread of a 32nd of it", seconds(data.table::fread(csv), 1), "s")
  unlink(csv)
}

plain <- attached$a + 0
ours <- attached$a
ratios <- vapply(1:7, function(i) seconds(sum(ours), 3) / seconds(sum(plain), 3), 0)
show("sum of an attached column / of R's own vector", stats::median(ratios), "")
stopifnot(identical(sum(ours), sum(plain)), identical(total, sum(plain)))
unlink(folder, recursive = TRUE)
