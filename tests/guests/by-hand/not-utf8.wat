;; Answers with a fault whose text is no UTF-8.
(module
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "cambist:plugin/policy@0.1.0#judge") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 1)) ;; not an answer but a fault
    (i32.store8 (i32.const 2052) (i32.const 3)) ;; broken(text)
    (i32.store (i32.const 2056) (i32.const 512))
    (i32.store (i32.const 2060) (i32.const 2))
    (i32.store16 (i32.const 512) (i32.const 0xfffe))
    (i32.const 2048)))
