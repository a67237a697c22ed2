;; Says that a list of reasons has 4 thousand million of them.
(module
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "cambist:plugin/policy@0.1.0#judge") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.add (i32.const 2048) (global.get $list)) (i32.const 8))
    (i32.store (i32.add (i32.const 2052) (global.get $list)) (i32.const -1))
    (i32.const 2048))
  (global $list i32 (i32.const 28)))
