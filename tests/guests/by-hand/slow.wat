;; Computes for half of the default fuel, and then answers: allowed, with a reason. (That answer is at 2048, its
;; one reason at 2112, and the words at 2176.)
(module
  (memory (export "memory") 2)
  (data (i32.const 2076) "\40\08\00\00\01\00\00\00")
  (data (i32.const 2112) "\80\08\00\00\04\00\00\00\84\08\00\00\0c\00\00\00")
  (data (i32.const 2176) "slowit took long")
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "cambist:plugin/policy@0.1.0#judge") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $left i32)
    (local.set $left (i32.const 10000000))
    (loop $again
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 2048)))
