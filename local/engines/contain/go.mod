module adorable.dev/contain

go 1.21
