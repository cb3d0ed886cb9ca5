module trapline

go 1.24
