;; Gives the host memory that lies outside of its own.
(module
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const -65536))
  (func (export "cambist:plugin/policy@0.1.0#judge") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 2048)))
