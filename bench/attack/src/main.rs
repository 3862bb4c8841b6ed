//! Prints the table.

fn main() {
    print!("{}", casque_attack::table::draw());
}
