;; Answers every function with the bytes that its settings hold: a JSON text of
;; hexadecimal digits, written to address 65536, which is also where the answer is
;; said to begin. So a test decides each byte of what the guest returns.
(module
  (memory (export "memory") 64)
  (global $free (mut i32) (i32.const 1048576))
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $digit (param $at i32) (result i32) (local $sign i32)
    (local.set $sign (i32.load8_u (local.get $at)))
    (i32.add (i32.and (local.get $sign) (i32.const 15))
      (i32.mul (i32.shr_u (local.get $sign) (i32.const 6)) (i32.const 9))))
  (func $speak (param $at i32) (param $length i32) (result i32) (local $to i32) (local $end i32)
    ;; without the quotes
    (local.set $end (i32.add (local.get $at) (i32.sub (local.get $length) (i32.const 1))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $to (i32.const 65536))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (i32.store8 (local.get $to)
          (i32.or (i32.shl (call $digit (local.get $at)) (i32.const 4))
            (call $digit (i32.add (local.get $at) (i32.const 1)))))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br $next)))
    (i32.const 65536))
  ;; the context comes first, and its settings are the last of its six texts
  (func $told (param i32) (result i32)
    (call $speak (i32.load offset=40 (local.get 0)) (i32.load offset=44 (local.get 0))))
  (func (export "cambist:plugin/mapping@0.1.0#read") (param i32) (result i32) (call $told (local.get 0)))
  (func (export "cambist:plugin/mapping@0.1.0#write") (param i32) (result i32) (call $told (local.get 0)))
  (func (export "cambist:plugin/policy@0.1.0#judge")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $speak (local.get 10) (local.get 11)))
  (func (export "cambist:plugin/tax@0.1.0#assess") (param i32) (result i32) (call $told (local.get 0)))
  (func (export "cambist:plugin/invoicing@0.1.0#draft-invoice") (param i32) (result i32) (call $told (local.get 0))))
