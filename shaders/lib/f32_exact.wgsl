// f32 arithmetic by integers alone: for adapters whose float units did not pass the probe.

fn f32_add(a: u32, b: u32) -> u32 { return integer_add(a, b); }
fn f32_subtract(a: u32, b: u32) -> u32 { return integer_subtract(a, b); }
fn f32_multiply(a: u32, b: u32) -> u32 { return integer_multiply(a, b); }
fn f32_divide(a: u32, b: u32) -> u32 { return integer_divide(a, b); }
