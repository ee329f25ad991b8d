//! Functions with which no program and no test can begin.

mod not_async {
    #[treewright::main]
    fn main() {}
}

mod with_arguments {
    #[treewright::main]
    async fn main(arguments: Vec<String>) {}
}

mod of_another_name {
    #[treewright::main]
    async fn start() {}
}

mod unknown_setting {
    #[treewright::main(grase = std::time::Duration::ZERO)]
    async fn main() {}
}

mod setting_without_value {
    #[treewright::main(grace)]
    async fn main() {}
}

mod without_a_runtime {
    #[treewright::bootstrap]
    async fn main() {}
}

mod no_error {
    struct NoError;

    #[treewright::main]
    async fn main() -> Result<(), NoError> {
        Ok(())
    }
}

fn main() {}
